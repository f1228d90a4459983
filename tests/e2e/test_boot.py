"""From the spec to a guest one can log in to, through what can be done to it from outside, to nothing left."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.booted import PATIENCE, PHRASE, Booted, nft, virsh
from tests.lab.cloud import running_agent
from tests.lab.eventually import eventually

pytestmark = pytest.mark.real
IMAGE = Path(__file__).resolve().parents[2] / "build" / "images" / "debian-12.qcow2"
POOL = Path("/var/lib/cloudsync/pool")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booted]:
    """Booted once for this file; the tests run in order and leave it as the spec says."""
    assert IMAGE.exists(), f"there is no {IMAGE}: run `make image`, or the tests by `make test`"
    booted = Booted(tmp_path_factory.mktemp("boot"))
    booted.write(IMAGE)
    with running_agent(module="cloudsync"):
        try:
            said = booted.good("apply", "-y", "--wait", "--timeout", str(PATIENCE))
            assert "instance.web" in said
            yield booted
        finally:
            booted.run("destroy", "-y", "--allow-destroy")


def test_it_reports_that_all_of_its_boot_went_well(cloud: Booted) -> None:
    instance = cloud.status()
    assert (instance["state"], instance["booted"], instance["problems"]) == ("running", True, [])


def test_login_is_with_the_specs_key_alone(cloud: Booted) -> None:
    key = cloud.folder / "cloudsync" / "keys" / "boot" / "alice.pub"
    assert cloud.inside("whoami; cut -d' ' -f1,2 ~/.ssh/authorized_keys").splitlines() == [
        "debian",
        " ".join(key.read_text(encoding="utf-8").split()[:2]),
    ]


def test_a_changed_host_key_is_refused(cloud: Booted) -> None:
    """The keys that the guest reported are all that ssh believes; nobody is asked to trust."""
    away = "for f in ssh_host_*; do mv $f old-$f; done && ssh-keygen -q -t ed25519 -N '' -f ssh_host_ed25519_key"
    cloud.inside(f'sudo bash -c "cd /etc/ssh && {away.replace("$", chr(92) + "$")} && systemctl restart ssh"')
    try:
        done = cloud.run("ssh", "web", "--", "true")
        assert done.returncode == 255
        assert "Host key verification failed" in done.stderr
    finally:
        insecure = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
        key = cloud.folder / "cloudsync" / "keys" / "boot" / "alice"
        back = "sudo sh -c 'cd /etc/ssh && for f in old-*; do mv $f ${f#old-}; done && systemctl restart ssh'"
        address = cloud.status()["addresses"][0]
        subprocess.run(["ssh", *insecure, "-i", key, f"debian@{address}", back], check=True, capture_output=True)
    assert cloud.inside("echo back") == "back"


def test_it_knows_its_names_and_metadata(cloud: Booted) -> None:
    document = "http://169.254.169.254/openstack/latest/meta_data.json"
    script = (
        f"""hostname; hostname -f; python3 -c 'import urllib.request as u; print(u.urlopen("{document}").read())'"""
    )
    short, long, answer = cloud.inside(script).splitlines()
    assert (short, long) == ("web", "web.boot.internal")
    assert '"role"' in answer


def test_user_data_ran_and_its_text_is_nowhere_to_be_seen(cloud: Booted) -> None:
    assert cloud.inside("sudo cat /root/secret") == PHRASE
    seen = virsh("dumpxml", "web") + cloud.good("plan", "--format", "json") + cloud.good("status", "--format", "json")
    seen += subprocess.run(["ps", "-ax", "-o", "args"], capture_output=True, text=True, check=True).stdout
    assert PHRASE not in seen


def test_its_disk_has_the_flavors_size(cloud: Booted) -> None:
    """cloud-init grew partition and file system: the image's are smaller."""
    assert int(cloud.inside("df --output=size -B1 / | tail -n 1")) > 3 << 30


def test_plan_again_is_empty(cloud: Booted) -> None:
    cloud.settled()


def test_it_grows_while_it_runs_and_has_all_of_it_at_once(cloud: Booted) -> None:
    """Its kernel would leave vCPUs and memory unused, were it not for what we give every guest as vendor data."""
    process = Path("/run/libvirt/qemu/web.pid")
    before, memory = process.read_text(), cloud.memory()
    cloud.enlarge()
    assert " live " in cloud.good("plan")
    cloud.apply()
    eventually(lambda: cloud.inside("nproc"), "2")
    eventually(cloud.memory, memory + (128 << 10))
    assert cloud.inside("lsblk -bdno SIZE /dev/vda") == str(5 << 30)
    assert process.read_text() == before
    cloud.settled()


def test_a_deleted_rule_is_shown_and_restored(cloud: Booted) -> None:
    chains = nft("list", "table", "inet", "cloudsync").split()
    chain = next(word for word in chains if word.startswith("gi_web"))
    before = nft("list", "chain", "inet", "cloudsync", chain)
    assert "dport 80" in before
    nft("flush", "chain", "inet", "cloudsync", chain)
    assert "group.web" in cloud.drifted()
    cloud.apply()
    assert nft("list", "chain", "inet", "cloudsync", chain) == before
    cloud.settled()


def test_a_machine_that_was_switched_off_is_started(cloud: Booted) -> None:
    virsh("destroy", "web")
    assert "instance.web" in cloud.drifted()
    cloud.apply()
    assert virsh("domstate", "web") == "running"
    cloud.settled()


def test_vcpus_changed_by_hand_are_put_right(cloud: Booted) -> None:
    virsh("destroy", "web")
    virsh("setvcpus", "web", "1", "--config")
    assert "instance.web" in cloud.drifted()
    cloud.apply()
    assert virsh("vcpucount", "web", "--live", "--current") == "2"
    cloud.settled()


def test_a_machine_that_was_undefined_is_made_again_on_its_disk(cloud: Booted) -> None:
    disks = {path.name: path.stat().st_ino for path in POOL.glob("*.root.qcow2")}
    virsh("destroy", "web")
    virsh("undefine", "web")
    assert "instance.web" in cloud.drifted()
    cloud.apply()
    assert virsh("domstate", "web") == "running"
    assert {path.name: path.stat().st_ino for path in POOL.glob("*.root.qcow2")} == disks
    cloud.settled()


def test_destroy_needs_leave_and_leaves_nothing(cloud: Booted) -> None:
    refused = cloud.run("destroy", "-y")
    assert refused.returncode == 1
    assert "--allow-destroy" in refused.stderr
    assert virsh("list", "--all", "--name") == "web"
    cloud.good("destroy", "-y", "--allow-destroy")
    assert virsh("list", "--all", "--name") == ""
    assert sorted(path.name for path in POOL.iterdir()) == []
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    assert "cs-" not in links
    assert "cs-" not in "".join(line for line in nft("list", "ruleset").splitlines() if '"cs-*"' not in line)
