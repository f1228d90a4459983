"""The sets and maps of both tables, as they are on every host: what is looked up in them stands in layout.py."""

from cloudsync.agent.firewall.ruleset import Container

_ADDRESS = ("ipv4_addr",)
SOURCE = ("ifname", "ipv4_addr", "ether_addr")
_OPEN = ("ifname", "ipv4_addr")


def containers(cloud: str) -> dict[str, Container]:
    """All sets and maps of `inet cloudsync` without elements, apart from those of members."""
    interval = Container(_ADDRESS, flags=("interval",))
    verdicts = Container(("ifname",), value="verdict")
    translation = Container(_ADDRESS, value="ipv4_addr")
    return {
        "cs_meta": Container(("mark",), comment=cloud),
        "port_src4": Container(SOURCE),
        "port_macs": Container(("ifname", "ether_addr")),
        "open_ports": Container(("ifname",)),
        "open_src4": Container(_OPEN),
        "gateways4": Container(_ADDRESS),
        "infra4": interval,
        "internal4": interval,
        "nat_src4": interval,
        "peers4": Container(_ADDRESS),
        "floating4": Container(_ADDRESS),
        "fip_in4": translation,
        "fip_out4": translation,
        "fip_self4": Container(("ipv4_addr", "ipv4_addr")),
        "egress": verdicts,
        "ingress": verdicts,
    }


def arp_containers() -> dict[str, Container]:
    return {
        "port_arp": Container(("ifname", "ether_addr", "ether_addr", "ipv4_addr")),
        "open_arp": Container(_OPEN),
    }
