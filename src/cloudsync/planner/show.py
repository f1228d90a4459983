"""Values as short texts for a person; nothing secret comes through here."""

from cloudsync.model.resources import Digest, Direction, Image, Instance, Network, Rule, Seed
from cloudsync.model.size import size
from cloudsync.model.unopened import spoken


def rule(one: Rule) -> str:
    """`tcp/8443 from any`, `udp/123 to 192.0.2.0/24`, `icmp/echo 8/0 from group.web`."""
    what = one.protocol if one.protocol != "any" else "everything"
    if one.protocol.isdigit():
        what = f"protocol {one.protocol}"
    if one.ports:
        first, last = one.ports
        what += f"/{first}" if first == last else f"/{first}-{last}"
    if one.icmp:
        kind, code = one.icmp
        what += f" type {kind}" + ("" if code is None else f" code {code}")
    return f"{what} {'from' if one.direction is Direction.INGRESS else 'to'} {one.remote}"


def user_data(one: Digest | None) -> str:
    """Size and digest, never content."""
    return "none" if one is None else f"{one.size:,} bytes sha256:{one.sha256[:12]}"


def seed(one: Seed) -> str:
    """`older user-data (12 bytes sha256:0f3c3b5a4ad0, of commit 0123456789ab, applied at 2026-01-01T00:00:00Z)`."""
    said = [user_data(one.user_data), *([f"of commit {one.commit[:12]}"] if one.commit else [])]
    return f"older user-data ({', '.join([*said, *([f'applied at {one.at}'] if one.at else [])])})"


def flavor(one: Instance) -> str:
    """`small (1 vCPU, 512 MiB, 4 GiB)`."""
    return f"{one.flavor} ({one.vcpus} vCPU, {size(one.memory)}, {size(one.disk)})"


def addresses(one: Instance) -> str:
    """Addresses of all NICs."""
    return " ".join(nic.address for nic in one.nics)


def mtu(one: Instance) -> str:
    """Of its NICs; `usual` where nothing is taken off."""
    return " ".join(dict.fromkeys(str(nic.mtu or "usual") for nic in one.nics))


def port_security(one: Instance) -> str:
    """`on`, `off`, or `off for` the addresses of NICs without it."""
    found = [nic.address for nic in one.nics if not nic.port_security]
    if len(found) in (0, len(one.nics)):
        return "off" if found else "on"
    return f"off for {', '.join(found)}"


def floating(one: Instance) -> str:
    """Floating addresses of all NICs."""
    return " ".join(one.floating)


def network(one: Network) -> str:
    """`10.20.0.0/16, NAT`."""
    return f"{one.subnet}, {'NAT' if one.nat else 'no NAT'}"


def image(one: Image) -> str:
    """`sha256:0f3c3b5a4ad0`; of a file that was not opened, which one it is."""
    return spoken(one.sha256)


def listed(names: tuple[str, ...]) -> str:
    """Comma separated, `none` when empty."""
    return ", ".join(names) or "none"
