"""What `status` says is wrong with an instance whose machine is as it should be."""

from cloudsync.model.snapshot import Boot, HostState, HostStatus, Machine, Usage
from cloudsync.planner.adrift import Adrift
from cloudsync.render.status import health
from tests.agent.documents import UUID, document, instance
from tests.planner.build import cloud


def said(boot: Boot) -> tuple[str, tuple[str, ...]]:
    one, there = instance(), document()
    gateways = {name: network.gateway for name, network in there.networks.items()}
    host = HostState(
        name=there.host,
        status=HostStatus.READY,
        document=there,
        machines={
            UUID: Machine.written(one, cloud="demo", generation=1, gateways=gateways, most=Usage(), disk=one.disk)
        },
        images={one.image: 1},
        disks=frozenset({UUID}),
        boots={UUID: boot},
    )
    return health(host, one, Adrift(cloud(), {host.name: host}))


def test_a_guest_that_booted_well_has_no_problem() -> None:
    assert said(Boot(uuid=UUID, finished=True, host_keys=("k",))) == ("running", ())


def test_host_keys_that_came_later_are_a_problem() -> None:
    forged = Boot(uuid=UUID, finished=True, host_keys=("k",), other_keys=("m",))
    ((word),) = said(forged)[1]
    assert "other ssh host keys" in word
