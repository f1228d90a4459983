"""What a host itself sends to instances, its own and those of other hosts: what is said of it is what packets meet."""

import pytest

from cloudsync.reach.encounter import encounters
from cloudsync.reach.ends import party_at
from cloudsync.reach.question import Question
from cloudsync.reach.recorded import of_documents
from cloudsync.reach.service import Service
from cloudsync.reach.verdict import Verdict
from tests.firewall.documents import egress, group, ingress, instance
from tests.lab.joined import underlay
from tests.lab.standins import Peer

pytestmark = pytest.mark.real

A, B = "10.20.0.11", "10.20.0.12"
THERE = {"h1": [instance("a", A, ("web",))], "h2": [instance("b", B, ("web",))]}
GROUPS = (group("web", egress(), ingress("any", "tcp", (80, 80))),)


@pytest.mark.parametrize(("fabric", "elsewhere"), [("direct", {80}), ("vxlan", set())])
def test_its_own_get_all_of_it_and_others_what_groups_and_the_way_let_through(fabric: str, elsewhere: set[int]) -> None:
    with underlay(THERE, GROUPS, fabric=fabric) as hosts:
        hosts.apply()
        own = hosts.addresses["h1"]
        sender, scene = Peer(hosts["h1"].host, own), of_documents([hosts.document(name) for name in THERE], {})
        for guest, home, address, ports in (("a", "h1", A, {22, 80}), ("b", "h2", B, elsewhere)):
            for port in (22, 80):
                happens = hosts.reaches(sender, guest, port, bound=own)
                assert happens is (port in ports), (guest, port)
                packet = Service("tcp", (port, port))
                (met,) = encounters(scene, party_at(own, scene), party_at(address, scene), packet)
                assert (met.outcomes[0].verdict is Verdict.ALLOWED) is happens, (guest, port)
                asked = Question(own, address, (packet,))
                (ruling,) = hosts[home].rulings(hosts.document(home), asked)
                assert ruling.allowed is happens, (guest, port)
