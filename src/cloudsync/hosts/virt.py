"""Which kind of machine a host makes: KVM or emulated. Pure; called by host.py."""

from collections.abc import Callable

from cloudsync.model.agent_state import AgentState
from cloudsync.model.cloud import Host
from cloudsync.model.problem import HostError


def choose(wanted: Host, state: AgentState, offered: Callable[[], bool]) -> str:
    """kvm or qemu. `auto` takes KVM where guests survive in it and libvirt offers it (`offered`, asked only then).

    Raise HostError when the spec insists on KVM and it cannot be used.
    """
    if wanted.virt == "qemu":
        return "qemu"
    reason = state.kvm_reason
    if state.kvm:
        if offered():
            return "kvm"
        reason = "libvirt does not offer it"
    if wanted.virt == "kvm":
        raise HostError(
            f"host {wanted.name}: KVM cannot be used: {reason}",
            "switch virtualisation on in its firmware, or set `virt: auto` for software emulation",
        )
    return "qemu"
