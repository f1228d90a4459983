"""What the hosts on a packet's way say, as one answer: the first drop decides, else the last rule of a group."""

from cloudsync.model.cited import Cited
from cloudsync.model.cloud import Cloud
from cloudsync.model.dataclass import dataclass
from cloudsync.model.resources import Direction, Rule
from cloudsync.model.ruling import Ruling, Stop
from cloudsync.reach.ask import Pair
from cloudsync.reach.law import label
from cloudsync.reach.service import Service, of_rule, parse
from cloudsync.reach.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Ruled:
    """`stop` is the rule that decides, None where none does. `spec` is what the spec says of the same packet."""

    service: Service
    verdict: Verdict
    spec: Verdict
    stop: Stop | None
    rule: Cited | None
    because: str
    path: tuple[str, ...]

    @property
    def differs(self) -> bool:
        return self.verdict.differs(self.spec)

    def pair(self, source: str, target: str) -> Pair:
        return Pair(
            source=source,
            target=target,
            service=self.service,
            verdict=self.verdict,
            rule=self.rule,
            because=self.because,
            path=(source, *self.path, target),
            spec=self.spec,
        )


def ruled(cloud: Cloud, service: Service, rulings: tuple[Ruling, ...], spec: Verdict) -> Ruled:
    """`rulings` are of one packet, in the order in which it passes the hosts."""
    refused = next((one for one in rulings if not one.allowed), None)
    opened = next((one for one in rulings if _opener(one)), None)
    told = refused or opened or next((one for one in reversed(rulings) if _of_group(one)), rulings[-1])
    stop = (told.stops[-1] if told.stops else None) if refused else _opener(told) or _of_group(told)
    if told.why:
        stop = None
    return Ruled(
        service=service,
        verdict=_verdict(refused),
        spec=spec,
        stop=stop,
        rule=_cited(cloud, stop, parse(told.packet)) if stop else None,
        because=_because(told, stop),
        path=tuple(f"{one.host} {each.base}: {_words(each)}" for one in rulings for each in one.stops),
    )


def _verdict(refused: Ruling | None) -> Verdict:
    if refused is None:
        return Verdict.ALLOWED
    return Verdict.DENIED if refused.allowed is False else Verdict.DEPENDS


def _opener(ruling: Ruling) -> Stop | None:
    """A rule of somebody else's in our table that let it pass."""
    return next((stop for stop in ruling.stops if stop.foreign), None)


def _of_group(ruling: Ruling) -> Stop | None:
    """The last rule of a group that let it pass; of what is not a group's, the last of all."""
    stops = [stop for stop in ruling.stops if stop.comment.startswith("group.")]
    return stops[-1] if stops else ruling.stops[-1] if ruling.stops else None


def _because(ruling: Ruling, stop: Stop | None) -> str:
    if ruling.why:
        return f"on {ruling.host}: {ruling.why}"
    if stop is None:
        return f"no rule on {ruling.host} is about it"
    count = "" if stop.packets is None else f", {stop.packets:,} packets so far"
    stranger = ""
    if stop.foreign:
        where = f"inet cloudsync {stop.chain} handle {stop.handle}"
        stranger = f"; this rule is not cloudsync's: apply, or on that host: nft delete rule {where}"
    return f"on {ruling.host}, chain {stop.chain}: {_words(stop)}{count}{stranger}"


def _words(stop: Stop) -> str:
    said = stop.rule or f"the policy is {stop.verdict}"
    return f"{said} ({stop.comment})" if stop.comment else said


def _cited(cloud: Cloud, stop: Stop, packet: Service) -> Cited | None:
    """A rule bears the address of what it comes from, and, when that is a group, the words of the rule."""
    address, _, words = stop.comment.partition(" ")
    if not address.startswith(("group.", "instance.")):
        return None
    key = _place(cloud, address, words, packet) if words else address
    place = cloud.places.get(key or "")
    return Cited(
        address=address,
        file=place.file if place else None,
        line=place.line if place else None,
        packets=stop.packets,
    )


def _place(cloud: Cloud, address: str, words: str, packet: Service) -> str | None:
    """The key of the place where the spec says it; a rule in the kernel may be several that are written."""
    name = address.removeprefix("group.")
    written = cloud.written.get(name, ())
    same = next((key for key, rule in written if label(rule) == words), None)
    key = same or next((key for key, rule in written if _alike(rule, words) and of_rule(rule).covers(packet)), None)
    return key if key in cloud.places else address if key else None


def _alike(rule: Rule, words: str) -> bool:
    """Of the same direction and about the same other side."""
    way = "from" if rule.direction is Direction.INGRESS else "to"
    return words.endswith(f" {way} {rule.remote}")
