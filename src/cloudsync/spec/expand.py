"""A draft without problems into a Cloud: counts written out, defaults filled in, names resolved. Pure."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from cloudsync.model.cloud import (
    Cloud,
    Expectation,
    Flavor,
    Host,
    Overcommit,
    PlacementGroup,
    Scheduler,
    Update,
    Wanted,
    WantedDisk,
    WantedNic,
    Where,
)
from cloudsync.model.problem import Place
from cloudsync.model.resources import Direction, Group, Image, Keypair, Network, Power, Rule
from cloudsync.model.snapshot import HostStatus, Usage
from cloudsync.spec import models
from cloudsync.spec.attach import Attached
from cloudsync.spec.draft import Draft
from cloudsync.spec.members import default_network
from cloudsync.spec.normal import normal
from cloudsync.spec.subnets import any_address, gateway, subnet

if TYPE_CHECKING:
    from cloudsync.spec.former import Former

_STATES = {"active": HostStatus.READY, "cordoned": HostStatus.CORDONED, "drained": HostStatus.DRAINED}


def expand(
    draft: Draft,
    attached: Attached,
    digest: str,
    path: str,
    places: Mapping[str, Place],
    former: "Former | None" = None,
) -> Cloud:
    """The cloud that the spec describes; commit and dirty are left to the caller."""
    header = draft.header
    weights = header.scheduler.weights.model_dump()
    written = _written(draft, former)
    hosts = former.kept(draft.hosts, former.draft.hosts, former.cloud.hosts) if former else {}
    return Cloud(
        name=header.cloud,
        digest=digest,
        path=path,
        fabric=header.fabric,
        repair=header.repair,
        scheduler=Scheduler(strategy=header.scheduler.strategy, weights=weights),
        bandwidth=header.migration.bandwidth,
        hosts={name: hosts.get(name) or _host(name, host) for name, host in draft.hosts.items()},
        images={name: _image(name, image, attached) for name, image in draft.images.items()},
        image_sizes=attached.sizes,
        image_blobs=attached.blobs,
        networks={name: _network(name, network, header.cloud) for name, network in draft.networks.items()},
        keypairs={name: Keypair(name=name, public_key=attached.keys[name]) for name in draft.keypairs},
        groups=_groups(draft, written, former),
        placement_groups={
            name: PlacementGroup(
                name=name, policy=group.policy, max_per_host=group.max_per_host, update=_update(group.update)
            )
            for name, group in draft.placement_groups.items()
        },
        instances=_instances(draft, attached, former),
        expectations=_expectations(header),
        places=places,
        written=written,
        paused=frozenset(base for base, instance in draft.instances.items() if instance.paused),
    )


def _host(name: str, host: models.Host) -> Host:
    over = host.overcommit
    return Host(
        name=name,
        uri=host.uri,
        ssh=host.ssh or None,
        address=host.address or None,
        virt=host.virt,
        zone=host.zone,
        labels=dict(host.labels),
        overcommit=Overcommit(vcpus=over.vcpus, memory=over.memory, disk=over.disk),
        reserved=Usage(memory=host.reserved.memory, disk=host.reserved.disk),
        uplink=host.uplink or None,
        state=_STATES[host.state],
    )


def _image(name: str, image: models.Image, attached: Attached) -> Image:
    sha256, source = attached.images[name]
    return Image(
        name=name,
        sha256=sha256,
        source=source,
        format=image.format,
        min_disk=image.min_disk,
        min_memory=image.min_memory,
        login=image.login,
        arch=image.arch,
    )


def _network(name: str, network: models.Network, cloud: str) -> Network:
    found = subnet(network.subnet)
    if found is None:
        raise ValueError(f"network {name} was not checked")
    return Network(
        name=name,
        subnet=str(found),
        gateway=str(gateway(found, network.gateway)),
        dns=tuple(str(any_address(text)) for text in network.dns),
        nat=network.nat,
        domain=network.domain or f"{cloud}.internal",
    )


Written = tuple[tuple[str, Rule], ...]


def _groups(draft: Draft, written: Mapping[str, Written], former: "Former | None") -> dict[str, Group]:
    found = {}
    for name, rules in written.items():
        if former and former.cloud.written.get(name) is rules:
            found[name] = former.cloud.groups[name]
            continue
        group = draft.security_groups.get(name, models.Group())
        allowed = normal(rule for _, rule in rules)
        found[name] = Group(name=name, description=group.description, rules=allowed, log_denied=group.log_denied)
    return found


def _written(draft: Draft, former: "Former | None") -> dict[str, Written]:
    """Those that are the former's are made of the same model."""
    groups = {"default": models.Group(), **draft.security_groups}
    kept = former.kept(groups, former.draft.security_groups, former.cloud.written) if former else {}
    return {name: kept.get(name) or tuple(_of_group(name, group)) for name, group in groups.items()}


def _of_group(name: str, group: models.Group) -> Iterator[tuple[str, Rule]]:
    """Without `egress`: all of it. Without `ingress`: none, but members of `default` trust each other."""
    for index, ingress in enumerate(group.ingress or ()):
        for rule in _rules(Direction.INGRESS, ingress, ingress.from_, name):
            yield f"group.{name}/ingress/{index}", rule
    for index, egress in enumerate(group.egress or ()):
        for rule in _rules(Direction.EGRESS, egress, egress.to, name):
            yield f"group.{name}/egress/{index}", rule
    if group.egress is None:
        yield f"group.{name}/egress", Rule(direction=Direction.EGRESS)
    if group.ingress is None and name == "default":
        yield f"group.{name}/ingress", Rule(direction=Direction.INGRESS, remote="group.default")


def _rules(direction: Direction, rule: models.Rule, remote: str, group: str) -> list[Rule]:
    """One for each range of ports; `self` has become the group's own name."""
    icmp = None if rule.type is None else (rule.type, rule.code)
    other = f"group.{group}" if remote == "self" else remote
    spans: list[tuple[int, int] | None] = [*rule.ports] or [None]
    return [Rule(direction=direction, protocol=rule.protocol, ports=ports, icmp=icmp, remote=other) for ports in spans]


def _expectations(header: models.Header) -> tuple[Expectation, ...]:
    return tuple(
        Expectation(
            key=f"expect/{index}",
            allow=one.allow is not None,
            source=claim.from_,
            target=claim.to,
            protocol=claim.protocol,
            port=claim.port,
        )
        for index, one in enumerate(header.expect)
        if (claim := one.allow or one.deny)
    )


def _instances(draft: Draft, attached: Attached, former: "Former | None") -> dict[str, Wanted]:
    flavors = {
        name: Flavor(name=name, vcpus=flavor.vcpus, memory=flavor.memory, disk=flavor.disk)
        for name, flavor in draft.flavors.items()
    }
    usual = default_network(draft.networks)
    kept = former.instances(draft, attached.user_data) if former else {}
    found: dict[str, Wanted] = {}
    for base, instance in draft.instances.items():
        alike = kept[base] if base in kept else _of_key(base, instance, flavors[instance.flavor], usual, attached)
        found.update((one.name, one) for one in alike)
    return found


def _of_key(
    base: str, instance: models.Instance, flavor: Flavor, usual: str | None, attached: Attached
) -> Iterator[Wanted]:
    groups = ["default"] if instance.security_groups is None else instance.security_groups
    placement, floating = instance.placement, instance.floating_ip
    nics, data, sorted_groups = _nics(instance, usual), attached.user_data.get(base), tuple(sorted(groups))
    where = Where(
        host=placement.host or None,
        zone=placement.zone or None,
        labels=dict(placement.labels),
        group=placement.group or None,
    )
    keypairs, metadata, state = tuple(instance.keypairs), dict(instance.metadata), Power(instance.state)
    disks = tuple(WantedDisk(name=one.name, size=one.size) for one in instance.disks)
    update, ignore = _update(instance.update), tuple(sorted(set(instance.ignore)))
    for index in (0,) if instance.count is None else range(1, instance.count + 1):
        yield Wanted(
            name=f"{base}-{index}" if index else base,
            base=base,
            index=index,
            was=_was(base, index, instance.was),
            image=instance.image,
            flavor=flavor,
            nics=nics,
            keypairs=keypairs,
            groups=sorted_groups,
            floating=floating[max(0, index - 1)] if isinstance(floating, list) else floating,
            where=where,
            user_data=data,
            metadata=metadata,
            state=state,
            protect=instance.protect,
            disks=disks,
            update=update,
            ignore=ignore,
            renews=instance.on_user_data_change == "replace",
        )


def _update(written: models.Update | None) -> Update | None:
    return Update(max_unavailable=written.max_unavailable, timeout=written.timeout) if written else None


def _nics(instance: models.Instance, usual: str | None) -> tuple[WantedNic, ...]:
    if instance.networks is not None:
        return tuple(
            WantedNic(network=nic.name, address=nic.address or None, port_security=nic.port_security)
            for nic in instance.networks
        )
    return (WantedNic(network=instance.network or usual or ""),)


def _was(base: str, index: int, was: str) -> tuple[str, ...]:
    """Former names, the likeliest first: `old-2` for `web-2`, and `old` too for `web-1`."""
    if not index:
        return (was, f"{base}-1") if was else (f"{base}-1",)
    names = [f"{was}-{index}"] if was else []
    if index == 1:
        names += [was, base] if was else [base]
    return tuple(names)
