"""Changes of what a host's document says about the host itself: it joins, its underlay, its copy of what all share."""

from collections.abc import Collection, Iterator, Mapping

from cloudsync.model import wire
from cloudsync.model.cloud import Cloud
from cloudsync.model.document import HostDocument
from cloudsync.model.plan import Action, Change, Disruption, Field, HostSummary
from cloudsync.model.problem import Problem
from cloudsync.model.snapshot import SKEW, HostState
from cloudsync.planner import compare
from cloudsync.planner.digest import digest
from cloudsync.planner.documents import Whole, final
from cloudsync.planner.seen import Sight


def joining(cloud: Cloud, hosts: Mapping[str, HostState]) -> frozenset[str]:
    """Hosts that come to a cloud which other hosts are part of already. None comes to one that goes."""
    if cloud.going:
        return frozenset()
    new = frozenset(name for name, host in hosts.items() if host.reachable and _unclaimed(host))
    return new if any(host.reachable and not _unclaimed(host) for host in hosts.values()) else frozenset()


def changes(shared: Whole, hosts: Mapping[str, HostState], new: Collection[str]) -> Iterator[Change]:
    """Hosts that join or leave, uplinks and underlay addresses. Whoever is told of one that joins or leaves is among
    the hosts of that change, and has no other for it."""
    told: dict[str, list[str]] = {name: [name] for name in new}
    gone: dict[str, list[str]] = {}
    for name, host in hosts.items():
        if name in new or not host.reachable or host.document is None:
            continue
        after = final(shared, name)
        left = host.document.underlay.keys() - shared.cloud.hosts.keys()
        for one in left:
            gone.setdefault(one, []).append(name)
        came = {one for one in new if one in after.underlay}
        for one in came - host.document.underlay.keys():
            told[one].append(name)
        fields = _differing(host.document, after, left | came)
        if fields:
            yield _update(name, fields, (), wire.digest(_own(host.document)))
    for name, names in told.items():
        yield Change(address=f"host.{name}", action=Action.CREATE, reasons=("joins the cloud",), hosts=tuple(names))
    for name, names in gone.items():
        yield Change(address=f"host.{name}", action=Action.DELETE, reasons=("leaves the cloud",), hosts=tuple(names))


def behind(told: Collection[Change], updated: Collection[str], new: Collection[str]) -> Iterator[Change]:
    """Hosts that get a document which no other change accounts for: a run that was cut off did not get to them."""
    spread = any(change.address.startswith("instance.") for change in told)
    for name in sorted(updated):
        if not spread and name not in new and not any(name in change.hosts for change in told):
            yield _update(name, (), ("its copy of what all hosts share is brought up to date",), "")


def apart(cloud: Cloud, hosts: Mapping[str, HostState]) -> Iterator[Problem]:
    """Hosts that do not have what the spec calls their address: with either fabric, packets for their instances would
    end elsewhere. Simulated ones have no network, and a cloud that goes needs none."""
    for name, host in hosts.items() if len(cloud.hosts) > 1 and not cloud.going else ():
        spec = cloud.hosts[name]
        if spec.uri.startswith("sim:") or not host.reachable:
            continue
        if spec.address and host.mtus and spec.address not in host.mtus:
            there = ", ".join(sorted(host.mtus.keys() - {"127.0.0.1"})) or "none"
            yield Problem(
                message=f"host.{name}: its address {spec.address} is not one of that machine's, which are {there}",
                hint="write the one of these that the other hosts can send to; an address that a router translates "
                "cannot be used",
                place=cloud.places.get(f"host.{name}/address"),
            )


def warnings(hosts: Mapping[str, HostState]) -> Iterator[str]:
    """Of what is wrong with hosts beside each other."""
    by_uuid: dict[str, list[str]] = {}
    for name, host in hosts.items():
        if host.reachable and host.uuid:
            by_uuid.setdefault(host.uuid, []).append(f"host.{name}")
        if host.reachable and abs(host.skew) > SKEW:
            said = f"{abs(host.skew):.0f} s {'ahead of' if host.skew > 0 else 'behind'} this machine's"
            yield f"host.{name}: its clock is {said}: set the one that is wrong right, certificates go by it"
    for uuid, names in sorted(by_uuid.items()):
        if len(names) > 1:
            fix = "write another  host_uuid  (`uuidgen`) into its /etc/libvirt/libvirtd.conf, and restart libvirtd"
            yield f"{' and '.join(names)} have one libvirt UUID, {uuid}: no machine moves between them; on one, {fix}"


def summary(host: HostState, sight: Sight) -> HostSummary:
    """A host as the plan saw it."""
    return HostSummary(
        status=host.status.value,
        reason=host.reason,
        generation=host.generation,
        digest=digest(host.document) if host.document else "",
        left_alone=sum(home.host == host.name for home, _ in sight.away) if not host.reachable else 0,
    )


def _unclaimed(host: HostState) -> bool:
    return host.document is None or host.document.released


def _update(name: str, fields: tuple[Field, ...], reasons: tuple[str, ...], before: str) -> Change:
    return Change(
        address=f"host.{name}",
        action=Action.UPDATE,
        fields=fields,
        reasons=reasons,
        hosts=(name,),
        disruption=Disruption.LIVE,
        before=before,
    )


def _differing(before: HostDocument, after: HostDocument, told: Collection[str]) -> tuple[Field, ...]:
    """What changes but for the hosts that are told of on lines of their own. Whoever becomes the only one, or does not
    stay it, has an underlay by that."""
    then, now = _own(before, told), _own(after, told)
    if told and not (before.underlay and after.underlay):
        then, now = ({**one, "underlay": [], "fabric": ""} for one in (then, now))
    return compare.fields(then, now) if then != now else ()


def _own(document: HostDocument, aside: Collection[str] = ()) -> dict[str, object]:
    """`aside` are other hosts to leave out."""
    unsaid = {document.underlay[one] for one in aside if one in document.underlay}
    return {
        "uplink": document.uplink,
        "repair": "true" if document.repair else "false",
        "infra": [address for address in document.infra if address not in unsaid],
        "fabric": document.fabric,
        "underlay": [f"{host} {address}" for host, address in sorted(document.underlay.items()) if host not in aside],
    }
