"""What the systemd units promise: nothing of the network or of libvirt before the guard, and none of it without."""

from tests.early.units import AGENT, GUARD, settings

GUARDS, AGENTS = settings(GUARD.read_text()), settings(AGENT.read_text())


def test_the_guard_is_ahead_of_network_machines_and_agent() -> None:
    later = {"network-pre.target", "libvirtd.service", "virtqemud.service", "cloudsync-agent.service"}
    assert later <= set(GUARDS["Before"])
    assert GUARDS["DefaultDependencies"] == ["no"]
    assert GUARDS["Type"] == ["oneshot"]


def test_libvirt_does_not_start_without_it() -> None:
    assert GUARDS["RequiredBy"] == ["libvirtd.service", "virtqemud.service"]


def test_it_runs_again_when_nftables_starts_and_the_agent_when_nftables_reloads() -> None:
    """One that stays active would not be started again."""
    assert "nftables.service" in GUARDS["After"]
    assert "nftables.service" in GUARDS["WantedBy"]
    assert "RemainAfterExit" not in GUARDS
    assert AGENTS["ReloadPropagatedFrom"] == ["nftables.service"]
    assert AGENTS["ExecReload"] == ["/bin/kill", "-HUP", "$MAINPID"]


def test_the_agent_comes_after_it_and_before_machines() -> None:
    assert "cloudsync-guard.service" in AGENTS["After"]
    assert {"libvirtd.service", "virtqemud.service"} <= set(AGENTS["Before"])
