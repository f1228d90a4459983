"""The pure parts beside the Driver: which kind of machine, what user-data travels, how a fleet is put together."""

from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from cloudsync.hosts.ask import Ask
from cloudsync.hosts.fleet import Fleet
from cloudsync.hosts.user_data import filled
from cloudsync.hosts.virt import choose
from cloudsync.model.agent_state import AgentState
from cloudsync.model.cloud import Cloud, Host
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from cloudsync.model.resources import Digest
from cloudsync.model.snapshot import HostStatus
from tests.libvirt.samples import an_instance

GOOD = AgentState(version="1", kvm=True, kvm_reason="it opens")
BAD = AgentState(version="1", kvm=False, kvm_reason="the processor shows neither vmx nor svm")


@pytest.mark.parametrize(
    ("virt", "state", "offered", "chosen"),
    [
        ("auto", GOOD, True, "kvm"),
        ("auto", GOOD, False, "qemu"),
        ("auto", BAD, True, "qemu"),
        ("qemu", GOOD, True, "qemu"),
        ("kvm", GOOD, True, "kvm"),
    ],
)
def test_the_kind_of_machine(virt: str, state: AgentState, offered: bool, chosen: str) -> None:
    assert choose(Host(name="a", uri="qemu:///system", virt=virt), state, lambda: offered) == chosen


@pytest.mark.parametrize(
    ("state", "offered", "why"), [(BAD, True, "neither vmx nor svm"), (GOOD, False, "libvirt does not offer it")]
)
def test_kvm_that_cannot_be_used_is_refused_with_the_reason(state: AgentState, offered: bool, why: str) -> None:
    with pytest.raises(HostError, match=f"host a: KVM cannot be used: .*{why}") as caught:
        choose(Host(name="a", uri="qemu:///system", virt="kvm"), state, lambda: offered)
    assert "virt: auto" in caught.value.hint


def test_libvirt_is_not_asked_about_kvm_that_kills_guests() -> None:
    def asked() -> bool:
        raise AssertionError("asked")

    assert choose(Host(name="a", uri="qemu:///system"), BAD, asked) == "qemu"


def test_only_the_user_data_that_is_named_travels() -> None:
    data = b"#!/bin/sh\n"
    digest = sha256(data).hexdigest()
    web = replace(an_instance(), user_data=Digest(sha256=digest, size=len(data)))
    plain = replace(an_instance("plain"), user_data=None)
    document = HostDocument(cloud="lab", host="here", instances={"web-1": web, "plain": plain})
    sent = filled(document, {digest: data, "ff": b"not for here"})
    assert sent == replace(document, user_data={digest: b64encode(data).decode()})
    with pytest.raises(HostError, match="of web-1 is not at hand"):
        filled(document, {})


def test_a_question_that_fails_fails_for_the_asker() -> None:
    def fail() -> int:
        raise HostError("no", "yes")

    with pytest.raises(HostError, match="no"):
        Ask("somebody", fail).answer(30)
    assert Ask("somebody", lambda: 7).answer(30) == 7


def test_a_question_that_takes_too_long_is_given_up() -> None:
    from threading import Event

    never = Event()
    with pytest.raises(HostError, match="libvirt of host a did not answer in 0 s"):
        Ask("libvirt of host a", never.wait).answer(0)
    never.set()


def test_a_fleet_of_simulated_hosts(tmp_path: Path) -> None:
    hosts = {
        "a": Host(name="a", uri="sim:?vcpus=3"),
        "b": Host(name="b", uri="sim:", state=HostStatus.CORDONED),
    }
    with Fleet.open(Cloud(name="lab", digest="", path=str(tmp_path / "cloud.yaml"), hosts=hosts)) as fleet:
        found = fleet.observe().hosts
    assert sorted(found) == ["a", "b"]
    assert found["a"].capacity.vcpus == 3
    assert (found["a"].status, found["b"].status) == (HostStatus.READY, HostStatus.CORDONED)


def test_a_fleet_without_hosts(tmp_path: Path) -> None:
    with Fleet.open(Cloud(name="lab", digest="", path=str(tmp_path / "cloud.yaml"))) as fleet:
        assert fleet.observe().hosts == {}
