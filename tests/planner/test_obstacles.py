"""Other programs' rules that stop instances: the plan warns, status says so, and nothing else changes."""

from dataclasses import replace

from cloudsync.model.obstacle import Obstacle
from cloudsync.model.snapshot import Snapshot
from cloudsync.render import status
from tests.laws.fleet import decide
from tests.planner.build import cloud, instance
from tests.planner.test_changes import settled

WEB = cloud(instance("web"), hosts=("kvm-1",))
FIX = ("iptables-nft -I DOCKER-USER -i cs-+ -j ACCEPT", "iptables-nft -I DOCKER-USER -o cs-+ -j ACCEPT")
DOCKER = Obstacle(
    owner="Docker",
    traffic=("instances → outside", "outside → instances"),
    where=("table ip filter, chain FORWARD: its policy drops",),
    fix=FIX,
)


def behind(*obstacles: Obstacle) -> Snapshot:
    observed = settled(WEB).observe(WEB)
    return Snapshot(hosts={name: replace(host, obstacles=obstacles) for name, host in observed.hosts.items()})


def test_the_plan_warns_with_the_exact_fix_and_has_nothing_to_do() -> None:
    made = decide(WEB, behind(DOCKER)).plan
    assert made.empty
    assert made.warnings == (
        f"host.kvm-1: Docker stops instances → outside, outside → instances: run there as root: {' && '.join(FIX)}",
    )


def test_a_long_fix_is_left_to_doctor() -> None:
    made = decide(WEB, behind(replace(DOCKER, owner="firewalld", fix=FIX * 4))).plan
    (warning,) = made.warnings
    assert warning.endswith("`cloudsync doctor` shows the fix")


def test_status_names_it_as_a_problem_of_the_host() -> None:
    snapshot = behind(DOCKER)
    assert status.document(WEB, snapshot)["hosts"][0]["problems"] == [str(DOCKER)]
    assert f"! host.kvm-1: {DOCKER}" in status.text(WEB, snapshot)
    assert "Problems" not in status.text(WEB, behind())
