"""What `status` says is wrong with an instance."""

from cloudsync.model.resources import Power
from cloudsync.model.snapshot import Boot, HostState, HostStatus, Machine
from cloudsync.render.status import health
from tests.agent.documents import UUID, document, instance


def host(boot: Boot) -> HostState:
    machine = Machine(
        uuid=UUID, name="web", cloud="demo", image="", vcpus=1, memory=1, disk=1, nics=(), power=Power.RUNNING
    )
    return HostState(
        name="kvm-1", status=HostStatus.READY, document=document(), machines={UUID: machine}, boots={UUID: boot}
    )


def test_a_guest_that_booted_well_has_no_problem() -> None:
    assert health(host(Boot(uuid=UUID, finished=True, host_keys=("k",))), instance()) == ("running", ())


def test_host_keys_that_came_later_are_a_problem() -> None:
    forged = Boot(uuid=UUID, finished=True, host_keys=("k",), other_keys=("m",))
    ((said),) = health(host(forged), instance())[1]
    assert "other ssh host keys" in said
