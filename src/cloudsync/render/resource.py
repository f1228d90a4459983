"""One image, network, key pair or group as it is now: on which hosts, used by whom. `status ADDRESS` shows it."""

from collections.abc import Callable, Mapping

from cloudsync.model.address import Address, Kind
from cloudsync.model.cloud import Cloud
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument
from cloudsync.model.resources import Group, Image, Instance, Keypair, Network
from cloudsync.model.snapshot import HostState, Snapshot
from cloudsync.planner import show

Noun = Image | Network | Keypair | Group


@dataclass(frozen=True, slots=True)
class _Kind:
    """Where things of a kind stand, in a spec as in a host's document, and which of them an instance uses."""

    of: Callable[[Cloud | HostDocument], Mapping[str, Noun]]
    used: Callable[[Instance], tuple[str, ...]]


_KINDS = {
    Kind.IMAGE: _Kind(lambda where: where.images, lambda one: (one.image_name,)),
    Kind.NETWORK: _Kind(lambda where: where.networks, lambda one: tuple(nic.network for nic in one.nics)),
    Kind.KEYPAIR: _Kind(lambda where: where.keypairs, lambda one: one.keypairs),
    Kind.GROUP: _Kind(lambda where: where.groups, lambda one: one.groups),
}


def resource(cloud: Cloud, snapshot: Snapshot, address: Address) -> dict[str, object] | None:
    """None when neither the spec nor any host knows it."""
    kind, name = _KINDS[address.kind], address.name
    hosts = [host for _, host in sorted(snapshot.hosts.items())]
    recorded = [host.document for host in hosts if host.document and name in kind.of(host.document)]
    wanted = kind.of(cloud).get(name)
    noun = kind.of(recorded[0])[name] if recorded else wanted
    if noun is None:
        return None
    users = {
        one.name
        for host in hosts
        if host.document
        for one in host.document.instances.values()
        if name in kind.used(one)
    }
    return {
        "address": str(address),
        "in_spec": wanted is not None,
        "is": _described(noun),
        "hosts": [host.name for host in hosts if _on(host, noun, kind)],
        "instances": sorted(users),
        "drift": [
            {"host": host.name, "message": item.message, "remedy": item.remedy}
            for host in hosts
            for item in host.drift
            if item.address == str(address)
        ],
    }


def _on(host: HostState, noun: Noun, kind: _Kind) -> bool:
    """An image is where its file is, all else where the host's document has it."""
    if isinstance(noun, Image):
        return noun.sha256 in host.images
    return host.document is not None and noun.name in kind.of(host.document)


def _described(noun: Noun) -> list[str]:
    match noun:
        case Image():
            return [show.image(noun)]
        case Network():
            return [show.network(noun)]
        case Keypair():
            return [f"{noun.public_key[:40]}…"]
        case Group():
            return [show.rule(rule) for rule in noun.rules]
