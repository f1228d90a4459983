"""What a watch reads again and again leaves nothing behind."""

from cloudsync.model import wire


def test_what_was_read_is_not_kept_for_the_next_time() -> None:
    first, second = (wire.load(tuple[str, ...], b'["2026-11-26T14:20:10Z"]') for _ in range(2))
    assert first == second
    assert first[0] is not second[0]
