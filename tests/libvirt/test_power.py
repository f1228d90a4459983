"""What is known of a guest's boot when its machine is started: a real libvirt and a real agent."""

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

import pytest

from cloudsync.hosts.host import Host
from cloudsync.hosts.libvirt.connection import lv
from cloudsync.model import wire
from cloudsync.model.snapshot import Boot
from cloudsync.model.step import DeleteInstance, StartInstance, StopInstance, UpdateInstance
from tests.agent.lab import Lab as Agent
from tests.libvirt.conftest import Lab
from tests.libvirt.steps import GATEWAYS, create, perform

pytestmark = pytest.mark.real


def test_a_machine_that_is_started_again_has_not_booted_yet(host: Host, lab: Lab, agent: Agent) -> None:
    web = lab.instance()
    at = "instance.web-1"
    update = UpdateInstance(
        id="u", host="here", address=at, instance=web, gateways=GATEWAYS, cloud="lab", generation=2, grace=0.1
    )
    start = StartInstance(id="b", host="here", address=at, uuid=web.uuid)
    perform(host, create(web))
    booted = Boot(uuid=web.uuid, stage="modules-final", finished=True)

    told(agent, booted)
    perform(host, start)
    assert host.observe().boots == {web.uuid: booted}, "it ran already"

    perform(host, update)
    assert host.observe().boots == {web.uuid: Boot(uuid=web.uuid)}

    told(agent, booted)
    perform(host, StopInstance(id="s", host="here", address=at, uuid=web.uuid, grace=0), start)
    assert host.observe().boots == {web.uuid: Boot(uuid=web.uuid)}

    told(agent, booted)
    lab.connection.raw.lookupByUUIDString(web.uuid).suspend()
    perform(host, start)
    assert host.observe().boots == {web.uuid: booted}, "it goes on where it was"


def told(agent: Agent, boot: Boot) -> None:
    """Return when the agent has heard it."""
    (agent.parts / "boots").write_bytes(wire.dump(boot) + b"\n")
    agent.client.boots({boot.uuid: "web"}, lambda _: None, 30)


def test_what_it_wrote_to_its_serial_port_goes_with_it(host: Host, lab: Lab, agent: Agent) -> None:
    web = lab.instance()
    perform(host, create(web))
    written = agent.root / "consoles" / f"cloudsync-{web.uuid}.log"
    written.write_text("secret")
    perform(host, *[DeleteInstance(id="d", host="here", address="instance.web-1", uuid=web.uuid)] * 2)
    assert not written.exists()


def test_one_that_goes_off_while_it_is_told_to_is_off(host: Host, lab: Lab, agent: Agent) -> None:
    """At whatever moment: QEMU leaves a call that it was in the middle of without an answer."""
    web = lab.instance()
    perform(host, create(web))
    machine = lab.connection.raw.lookupByUUIDString(web.uuid)
    for turn in range(40):
        with ThreadPoolExecutor(1) as other:
            stopping = other.submit(lab.domains.stop, web.uuid, web.name, 8)
            assert not wait([stopping], turn * 0.0002).done
            with suppress(lv.libvirtError):
                machine.destroy()
            stopping.result()
        assert not machine.isActive()
        machine.create()
