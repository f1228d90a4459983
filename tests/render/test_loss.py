"""What is proposed to be moved, as text for people."""

from cloudsync.render.loss import moves_text
from cloudsync.scheduler.rebalance import Move
from tests.planner.build import cloud, instance


def test_each_move_has_a_line_and_none_acts_on_a_terminal() -> None:
    whole = cloud(instance("web"), instance("db"))
    moves = [Move("web", "kvm-1", "kvm-2", "b\x1b[2J\nfake"), Move("db", "kvm-1", "kvm-3", "why")]
    lines = moves_text(whole, moves).splitlines()
    assert [line.split()[:5] for line in lines[1:3]] == [
        [">", "instance.web", "kvm-1", "→", "kvm-2"],
        [">", "instance.db", "kvm-1", "→", "kvm-3"],
    ]
    assert lines[3:5] == ["", "2 moves proposed, in this order; none is made."]
    assert "\\n" not in "".join(lines).replace("2J\\nfake", "")
    assert "\x1b" not in "".join(lines)
