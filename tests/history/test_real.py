"""What a person did with virsh and nft to a real host, taken into the spec: then nothing is left to restore."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fleet.conftest import Desk
from tests.lab.cloud import HOST, blank_image, running_agent, spec_of

pytestmark = pytest.mark.real
GROUP = """\
security_groups:
  web:
    ingress:
      - {protocol: tcp, ports: 80, from: any}  # the site
      - {protocol: tcp, ports: 22, from: 192.0.2.0/24}
"""
BOX = "{image: blank, flavor: tiny, security_groups: [web]}"


def run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Applied."""
    here = HOST.format(name="here", uri="qemu:///system", more="")
    found = Desk(tmp_path / "cloud.yaml")
    found.spec.write_text(spec_of(blank_image(tmp_path / "blank.raw"), [here], {"box": BOX}, more=GROUP))
    with running_agent():
        try:
            found.done("apply", "-y")
            yield found
        finally:
            found.done("destroy", "-y", "--allow-destroy")


def chain() -> str:
    found = re.search(r"chain (gi_web_[0-9a-f]+)", run("nft", "list", "table", "inet", "cloudsync"))
    assert found
    return found[1]


def resized(file: Path) -> None:
    """2 vCPUs and 48 MiB, as `virsh edit` gives them: nodes of memory go along."""
    text = re.sub(r"(<vcpu[^>]* current=')[0-9]+", r"\g<1>2", run("virsh", "dumpxml", "--inactive", "box"))
    text = re.sub(r"<maxMemory.*</maxMemory>|(?s:<numa>.*</numa>)", "", text)
    file.write_text(re.sub(r"(emory unit='KiB'>)[0-9]+", rf"\g<1>{48 << 10}", text))
    run("virsh", "define", str(file))


def test_sizes_power_and_rules(desk: Desk) -> None:
    web = chain()
    (handle,) = re.findall(r"dport 22 .*# handle ([0-9]+)", run("nft", "-a", "list", "chain", "inet", "cloudsync", web))
    run("nft", "delete", "rule", "inet", "cloudsync", web, "handle", handle)
    run(
        "nft", "add", "rule", "inet", "cloudsync", web, "ip", "saddr", "198.51.100.0/24", "udp", "dport", "53", "accept"
    )
    run("virsh", "destroy", "box")
    resized(desk.spec.with_name("box.xml"))
    before = desk.done("plan")
    assert before.count("!") >= 4, before
    diff = desk.done("plan", "--absorb")
    assert "+  tiny-2x48MiB: {vcpus: 2, memory: 48MiB, disk: 8MiB}\n" in diff
    assert "+  box: {image: blank, flavor: tiny-2x48MiB, state: stopped, security_groups: [web]}\n" in diff
    assert "-      - {protocol: tcp, ports: 22, from: 192.0.2.0/24}\n" in diff
    assert "+      - {protocol: udp, ports: 53, from: 198.51.100.0/24}\n" in diff
    plan = desk.done("plan")
    assert "Drift" not in plan, plan
    applied = desk.type("apply", "-y", "--max-disruption", "live")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert desk.type("plan", "--detailed-exitcode").returncode == 0
    assert "shut off" in run("virsh", "domstate", "box")
    assert desk.done("history", "box").count("\n") == 3


def test_what_the_spec_cannot_say_is_left(desk: Desk) -> None:
    web = chain()
    run("nft", "add", "rule", "inet", "cloudsync", web, "tcp", "dport", "8443", "drop")
    run("virsh", "suspend", "box")
    before = desk.spec.read_bytes()
    typed = desk.type("plan", "--absorb", "--detailed-exitcode")
    assert (typed.returncode, typed.stdout) == (2, "")
    assert "left: instance.box  here: it is paused" in typed.stderr
    assert "left: group.web  here: a rule of chain" in typed.stderr
    assert desk.spec.read_bytes() == before
