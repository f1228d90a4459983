"""The exposure of a change is what single questions before and after say, told in few lines."""

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsync.model.plan import Exposed, Exposure
from cloudsync.model.resources import Instance, Rule
from cloudsync.planner.exposed import untold
from cloudsync.reach.exposure import exposure
from cloudsync.reach.recorded import of_documents
from cloudsync.reach.scene import Scene
from cloudsync.reach.service import Service, parse
from cloudsync.reach.spot import at
from tests.effort import tries
from tests.firewall.documents import DEFAULT, egress, group, ingress, instance
from tests.reach.worlds import world, worlds

PACKETS = [parse(text) for text in ("tcp/22", "tcp/80", "tcp/443", "udp/53", "icmp/8.0", "icmp/3.4", "47")]
STRANGER = "203.0.113.1"


def passes(scene: Scene, source: str, target: str, packet: Service) -> bool:
    """Between instances by name, or the internet; False for one that is not there."""
    ends = [(at(STRANGER).key,) if one == "internet" else addresses(scene, one) for one in (source, target)]
    return any(scene.permits(one, other, packet) for one in ends[0] for other in ends[1])


def addresses(scene: Scene, name: str) -> tuple[str, ...]:
    return tuple(port.spot.key for port in scene.of.get(name.removeprefix("instance."), ()))


def told(lines: tuple[Exposed, ...], source: str, target: str, packet: Service) -> bool:
    return any(
        source in line.sources and target in line.targets and any(says(service, packet) for service in line.services)
        for line in lines
    )


def says(words: str, packet: Service) -> bool:
    wide, _, left = words.partition(" except ")
    return parse(wide).covers(packet) and not any(parse(one).covers(packet) for one in left.split(", ") if one)


@settings(deadline=None, max_examples=tries(60))
@given(st.data())
def test_lines_say_what_single_questions_say(data: st.DataObject) -> None:
    before, after = (of_documents(data.draw(worlds()).hosts, {}) for _ in range(2))
    found = exposure(before, after)
    ends = ["internet", *(f"instance.{name}" for name in {**before.of, **after.of})]
    for source, target in permutations(ends, 2):
        for packet in PACKETS:
            was, is_now = (passes(scene, source, target, packet) for scene in (before, after))
            for lines, new, old in ((found.added, is_now, was), (found.removed, was, is_now)):
                if new and not old:
                    assert told(lines, source, target, packet), (source, target, str(packet))
                if told(lines, source, target, packet):
                    assert new, (source, target, str(packet))
                    assert lines is found.added or not old, (source, target, str(packet))


@settings(deadline=None, max_examples=tries(30))
@given(worlds())
def test_nothing_changed_means_no_line(found: object) -> None:
    scene = of_documents(found.hosts, {})  # type: ignore[attr-defined]
    assert exposure(scene, scene) == Exposure()
    again = of_documents(found.hosts, {})  # type: ignore[attr-defined]
    assert exposure(scene, again) == Exposure()


def scene(here: list[Instance], *web: Rule) -> Scene:
    walls = (DEFAULT, group("web", *web), group("db", ingress("group.web", "tcp", (5432, 5432))))
    return of_documents(world(here, [], walls).hosts, {})


WEB = [instance(f"web-{number}", f"10.20.0.{number + 10}", ("web",)) for number in range(1, 4)]
DB = instance("db", "10.20.0.9", ("db",))
HTTPS, ADMIN = ingress("any", "tcp", (443, 443)), ingress("any", "tcp", (8443, 8443))
NAMES = tuple(f"instance.{one.name}" for one in WEB)


def test_one_rule_more_is_one_line() -> None:
    found = exposure(scene([*WEB, DB], HTTPS), scene([*WEB, DB], HTTPS, ADMIN))
    assert found == Exposure(added=(Exposed(sources=("internet",), targets=NAMES, services=("tcp/8443",)),))


def test_a_piece_of_the_internet_is_told_only_where_it_has_more() -> None:
    near = ingress("192.0.2.0/24", "tcp", (22, 443))
    found = exposure(scene(WEB), scene(WEB, HTTPS, near))
    assert found.removed == ()
    assert [(line.sources, line.services) for line in found.added] == [
        (("internet",), ("tcp/443",)),
        (("192.0.2.0/24",), ("tcp/22-442",)),
    ]


def test_members_that_are_alike_are_told_together_and_nobody_of_itself() -> None:
    found = exposure(scene([DB]), scene([*WEB, DB], egress("group.db")))
    assert found.added == (Exposed(sources=NAMES, targets=("instance.db",), services=("tcp/5432",)),)
    lone = exposure(Scene(()), scene([instance("a", "10.20.0.2")]))
    assert lone.added == (Exposed(sources=("instance.a",), targets=("internet",), services=("any",)),)


def test_the_price_goes_with_roles_and_not_with_instances() -> None:
    many = [instance(f"web-{number}", f"10.20.{number // 200}.{number % 200 + 2}", ("web",)) for number in range(3000)]
    (line,) = exposure(scene(many, HTTPS), scene(many, HTTPS, ADMIN)).added
    assert len(line.targets) == 3000


@settings(deadline=None, max_examples=tries(40))
@given(st.data(), st.integers(0, 40))
def test_of_too_many_pairs_the_internet_is_told_first_and_the_rest_is_counted(data: st.DataObject, most: int) -> None:
    before, after = (of_documents(data.draw(worlds()).hosts, {}) for _ in range(2))
    whole, part = exposure(before, after), exposure(before, after, most=most)
    assert whole.untold == 0
    names = {**before.of, **after.of}
    if not part.untold:
        assert part == whole
    for source, target in permutations(["internet", *(f"instance.{name}" for name in names)], 2):
        for packet in PACKETS:
            for lines, every in ((part.added, whole.added), (part.removed, whole.removed)):
                if told(lines, source, target, packet):
                    assert told(every, source, target, packet)
                elif "internet" in (source, target) and 2 * len(names) <= most:
                    assert not told(every, source, target, packet)


def test_what_is_left_out_is_a_warning() -> None:
    assert untold(Exposure()) == ()
    (warning,) = untold(Exposure(untold=1_234_567))
    assert "not told in full: 1,234,567 pairs" in warning
