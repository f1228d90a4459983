"""The ends of a question, as words, into whom they stand for: `instance.web` is all of web-1, web-2, …

Called for `reach` and for every expectation.
"""

from collections.abc import Callable, Collection, Iterator
from enum import Enum
from functools import lru_cache

from cloudsync.model.address import numbered
from cloudsync.model.cloud import Cloud
from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import CloudsyncError
from cloudsync.reach.outside import METADATA, UNROUTED, holes
from cloudsync.reach.scene import Port, Scene
from cloudsync.reach.spot import EVERYWHERE, NOWHERE, Range, Spot, at, first_free, span
from cloudsync.spec.rules import RuleError, remote
from cloudsync.spec.suggest import did_you_mean
from cloudsync.spec.words import quote

INTERNET = "internet"


class Sort(Enum):
    INSTANCE = "an instance"
    OUTSIDE = "addresses outside the cloud"
    GATEWAY = "a host, as its guests see it"
    METADATA = "the metadata service"
    HOST = "an address of a host"
    NOBODY = "an address that no instance has"
    NOWHERE = "an address that nothing is forwarded to or from"


@dataclass(frozen=True, slots=True)
class Party:
    """One of those that an end stands for. `ports` are an instance's, or those of them that are meant.

    `region` is where outside it may be, `spot` the one address of anything else. `unsure`: whether the end means it
    depends on the address that it gets. `floating`: its floating address is meant, by which even its own packets leave
    it.
    """

    label: str
    sort: Sort
    ports: tuple[Port, ...] = ()
    region: Range = NOWHERE
    spot: Spot | None = None
    unsure: bool = False
    floating: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """`word` is what was written, with its kind."""

    word: str
    parties: tuple[Party, ...]


def end(word: str, cloud: Cloud, scene: Scene) -> End:
    """Raise CloudsyncError for what is no end, or is called like nothing in the cloud."""
    kind, dot, name = word.partition(".")
    if word == INTERNET:
        return End(word, (Party(word, Sort.OUTSIDE, region=EVERYWHERE),))
    if dot and kind == "instance":
        return _instances(name, cloud, scene)
    if dot and kind == "group":
        _known("group", name, cloud.groups)
        return End(word, tuple(_where(scene, lambda port: name in port.groups)))
    if dot and kind == "network":
        _known("network", name, cloud.networks)
        return End(word, tuple(_where(scene, lambda port: port.network == name)))
    if dot and kind == "host":
        return _host(word, name, cloud, scene)
    if word in _names(cloud) or not (dot or "/" in word or ":" in word or word == "any"):
        return _instances(word, cloud, scene)
    return _addresses(word, scene)


def _names(cloud: Cloud) -> set[str]:
    return {name for one in cloud.instances.values() for name in (one.name, one.base)}


def _known(kind: str, name: str, there: Collection[str]) -> None:
    if name not in there:
        hint = did_you_mean(name, there, f"the spec has no {kind}")
        raise CloudsyncError(f"there is no {kind} {quote(name)}", hint)


def _instances(name: str, cloud: Cloud, scene: Scene) -> End:
    """One by its name, or all that a counted name stands for."""
    _known("instance", name, _names(cloud))
    meant = sorted((one for one in cloud.instances.values() if name in (one.name, one.base)), key=lambda one: one.index)
    parties = (Party(f"instance.{one.name}", Sort.INSTANCE, scene.of.get(one.name, ())) for one in meant)
    return End(f"instance.{name}", tuple(parties))


def _host(word: str, name: str, cloud: Cloud, scene: Scene) -> End:
    """By its addresses, as far as they are known."""
    _known("host", name, cloud.hosts)
    known = [address for address, host in scene.hosts.items() if host == name]
    if not known:
        hint = "write  address:  into it, or ask with an address instead of its name"
        raise CloudsyncError(f"no address of {word} is known", hint)
    return End(word, tuple(party_at(address, scene) for address in known))


def _where(scene: Scene, meant: Callable[[Port], bool | None]) -> Iterator[Party]:
    """Instances with those of their ports that are meant; None from `meant` stands for perhaps."""
    for name in sorted(scene.of, key=in_order):
        judged = [(port, meant(port)) for port in scene.of[name]]
        sure = tuple(port for port, yes in judged if yes)
        perhaps = tuple(port for port, yes in judged if yes is None)
        if sure or perhaps:
            yield Party(f"instance.{name}", Sort.INSTANCE, sure or perhaps, unsure=not sure)


@lru_cache(maxsize=1 << 15)
def in_order(name: str) -> tuple[str, int, str]:
    """Sorts web-2 before web-10."""
    return (*numbered(name), name)


def _addresses(word: str, scene: Scene) -> End:
    if ":" in word:
        hint = "ask with an IPv4 address, an instance's name, or internet; all IPv6 of guests is dropped"
        raise CloudsyncError(f"{quote(word)} is an IPv6 address, and guests have IPv4 only", hint)
    try:
        region = EVERYWHERE if remote(word) == "any" else span(remote(word))
    except RuleError as error:
        raise CloudsyncError(str(error), error.hint) from None
    if region[0] == region[1]:
        return End(word, (party_at(word.removesuffix("/32"), scene),))
    parties = list(_where(scene, lambda port: port.spot.within(region)))
    if first_free(region, holes(scene)):
        parties.append(Party(word, Sort.OUTSIDE, region=region))
    return End(word, tuple(parties))


def party_at(address: str, scene: Scene) -> Party:
    """Whoever has this one address."""
    spot, port = at(address), scene.at.get(address)
    if port:
        return Party(f"instance.{port.instance}", Sort.INSTANCE, (port,), floating=address == port.floating)
    if any(spot.within(span(text)) for text in UNROUTED):
        return Party(address, Sort.NOWHERE, spot=spot)
    if any(address == network.gateway for network in scene.networks.values()):
        return Party(address, Sort.GATEWAY, spot=spot)
    if address == METADATA:
        return Party(address, Sort.METADATA, spot=spot)
    if any(spot.within(infra) for infra in scene.infra):
        return Party(address, Sort.HOST, spot=spot)
    if any(spot.within(span(network.subnet)) for network in scene.networks.values()):
        return Party(address, Sort.NOBODY, spot=spot)
    return Party(address, Sort.OUTSIDE, region=(spot.first, spot.last))
