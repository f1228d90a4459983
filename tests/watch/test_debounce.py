"""Files that change come to rest before they are told of, and never too late."""

from cloudsync.watch.debounce import GLANCES, MOST, QUIET, Debounce


def looked(debounce: Debounce[str], changes: dict[float, str], until: float) -> list[tuple[float, str]]:
    """What is told, and when, of files that become what `changes` says at a time; each change stirs."""
    now, at, told = 0.0, debounce.known, []
    coming = sorted(changes.items())
    while now < until:
        due = debounce.due()
        nearest = coming[0][0] if coming else until
        if due is None or nearest <= due:
            now = nearest
            if coming:
                at = coming.pop(0)[1]
                debounce.stir(now)
            continue
        now = max(now, due)
        if debounce.look(at, now):
            told.append((now, at))
    return told


def test_a_save_is_told_once_and_soon() -> None:
    (told,) = looked(Debounce("a"), {1.0: "b"}, 5.0)
    assert told[1] == "b"
    assert 1.0 < told[0] <= 1.0 + GLANCES[0] + QUIET + 1e-6


def test_what_is_half_written_is_not_told() -> None:
    (told,) = looked(Debounce("a"), {1.0: "", 1.004: "b", 1.015: "bc"}, 5.0)
    assert told[1] == "bc"


def test_a_file_that_never_rests_is_told_all_the_same() -> None:
    changes = {1.0 + step * 0.004: f"{step}" for step in range(500)}
    told = looked(Debounce("a"), changes, 2.9)
    assert told
    assert told[0][0] <= 1.0 + MOST + 0.1


def test_a_stir_that_changed_nothing_is_not_told_and_ends() -> None:
    debounce = Debounce("a")
    assert looked(debounce, {1.0: "a"}, 5.0) == []
    assert debounce.due() is None


def test_what_is_renamed_half_a_second_after_the_stir_is_seen() -> None:
    debounce = Debounce("a")
    debounce.stir(0.0)
    now = 0.0
    while (due := debounce.due()) is not None and due < 0.5:
        now = due
        assert not debounce.look("a", now)
    due = debounce.due()
    assert due is not None
    assert not debounce.look("b", due)
    again = debounce.due()
    assert again is not None
    assert debounce.look("b", again)


def test_what_comes_back_to_what_it_was_is_no_news() -> None:
    debounce = Debounce("a")
    debounce.stir(0.0)
    assert not debounce.look("b", 0.01)
    assert not debounce.look("a", 0.03)
    assert not debounce.look("a", 0.05)
