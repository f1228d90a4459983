"""What guests may try, by topic; each module's CASES are tried one by one."""

from tests.firewall.spoofs import dhcp, flows, hosts, link, packets, six, sources

CASES = [
    *sources.CASES,
    *link.CASES,
    *packets.CASES,
    *six.CASES,
    *dhcp.CASES,
    *hosts.CASES,
    *flows.CASES,
]
