"""Sends one packet through one base chain of another program (pure): how that ends, and where."""

from cloudsync.agent.neighbours.foreign import Act, Base, Rule, Table
from cloudsync.agent.neighbours.packet import Packet
from cloudsync.model.dataclass import dataclass

_DEPTH = 32
_FINAL = (Act.ACCEPT, Act.DROP, Act.REJECT, Act.NAT)


@dataclass(frozen=True, slots=True)
class Ending:
    """`chain` is where it was decided, by the rule of that number (from 1), by its policy when `rule` is 0.

    `unsure` when a rule that cannot be read might have let the packet through before.
    """

    act: Act
    chain: str
    rule: int = 0
    unsure: bool = False

    def __str__(self) -> str:
        verb = {Act.DROP: "drops", Act.REJECT: "rejects", Act.NAT: "translates"}.get(self.act, "accepts")
        return f"its rule {self.rule} {verb}" if self.rule else f"its policy {verb}"


class _Walk:
    """`unsure` collects on the way."""

    def __init__(self, table: Table, packet: Packet) -> None:
        self._table = table
        self._packet = packet
        self.unsure = False

    def chain(self, name: str, depth: int = 0) -> Ending | None:
        """None when the packet comes back out of it."""
        chain = self._table.chains.get(name)
        if chain is None or depth > _DEPTH:
            return None
        for number, rule in enumerate(chain.rules, 1):
            if not self._meets(rule):
                continue
            if rule.act in _FINAL:
                return Ending(rule.act, name, number, self.unsure)
            if rule.act is Act.RETURN:
                return None
            if rule.act in (Act.JUMP, Act.GOTO):
                ending = self.chain(rule.target, depth + 1)
                if ending is not None or rule.act is Act.GOTO:
                    return ending
        return None

    def _meets(self, rule: Rule) -> bool:
        """A rule that cannot be read is passed over."""
        met = [self._packet.fits(condition) for condition in rule.conditions]
        if False in met:
            return False
        if None in met:
            self.unsure = self.unsure or rule.act not in (Act.DROP, Act.REJECT, Act.NEXT)
            return False
        return True


def walk(table: Table, name: str, base: Base, packet: Packet) -> Ending:
    """How the base chain called `name` ends for `packet`."""
    walked = _Walk(table, packet)
    ending = walked.chain(name)
    return ending or Ending(Act.DROP if base.drops else Act.ACCEPT, name, 0, walked.unsure)
