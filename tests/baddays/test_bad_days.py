"""Bad input and bad days on the real thing: one clear message that names the fix, exit code 1, nothing half-made."""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.cloud import blank_cloud, running_agent
from tests.lab.typed import typed

pytestmark = pytest.mark.real
PROGRAM = [sys.executable, "-m", "cloudsync"]


@pytest.fixture
def agent() -> Iterator[None]:
    with running_agent():
        yield


@pytest.fixture
def spec(tmp_path: Path) -> Iterator[Path]:
    path = blank_cloud(tmp_path, count=1)
    yield path
    blank_cloud(tmp_path, count=1)
    with running_agent():
        assert run(path, "destroy", "-y", "--allow-destroy").returncode == 0


def run(spec: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "NO_COLOR": "1", **environment}
    return typed(spec, *words, env=env)


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """It ended with 1, without a traceback, and said all of `words`."""
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "Traceback" not in said
    for word in words:
        assert word in said, f"{word!r} is not in:\n{said}"


def machines() -> str:
    return subprocess.run(
        ["virsh", "list", "--all", "--name"], capture_output=True, text=True, check=True
    ).stdout.strip()


def images() -> list[str]:
    folder = Path("/var/lib/cloudsync/pool")
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_agent_down(spec: Path) -> None:
    for command in (("plan",), ("apply", "-y")):
        refused(run(spec, *command), "here", "agent", "cloudsync agent")


def test_libvirtd_down(spec: Path, agent: None) -> None:
    spec.write_text(spec.read_text().replace("qemu:///system", "qemu:///system?socket=/run/nowhere"))
    refused(run(spec, "apply", "-y"), "libvirt", "hint")


def test_socket_permission_denied(spec: Path, agent: None) -> None:
    """Root without the power to pass by permissions is a stranger to a socket that belongs to somebody else."""
    os.chown("/run/cloudsync/agent.sock", 65534, 65534)
    powerless = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    done = subprocess.run([*powerless, *PROGRAM, "-f", str(spec), "plan"], capture_output=True, text=True)
    refused(done, "may not be used by you", "usermod -aG cloudsync")


def test_image_digest_wrong(spec: Path, agent: None, tmp_path: Path) -> None:
    text = spec.read_text().replace("format: raw", f"format: raw, sha256: {'ab' * 32}")
    spec.write_text(text)
    good = hashlib.sha256((tmp_path / "blank.raw").read_bytes()).hexdigest()
    line = next(number for number, one in enumerate(text.splitlines(), 1) if "sha256" in one)
    refused(run(spec, "apply", "-y"), "digest", good, f"cloud.yaml:{line}:")


def test_served_image_digest_wrong(spec: Path, agent: None, tmp_path: Path, web: str) -> None:
    serve_image(spec, f"{web}/blank.raw", "cd" * 32)
    refused(run(spec, "apply", "-y"), "cd" * 32, "skipped")
    assert not [name for name in images() if name.startswith("image-")]
    assert machines() == ""
    good = hashlib.sha256((tmp_path / "blank.raw").read_bytes()).hexdigest()
    serve_image(spec, f"{web}/blank.raw", good)
    done = run(spec, "apply", "-y")
    assert done.returncode == 0, done.stderr
    assert run(spec, "plan", "--detailed-exitcode").returncode == 0


def test_image_that_is_none(spec: Path, agent: None, tmp_path: Path) -> None:
    (tmp_path / "blank.raw").write_bytes(b"<html>404</html>" + bytes(4096))
    refused(run(spec, "apply", "-y"), "image", "blank")
    assert machines() == ""


def test_image_with_a_backing_file(spec: Path, agent: None, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(1 << 20))
    evil = tmp_path / "evil.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", secret, evil, "4M"], check=True)
    shutil.move(evil, tmp_path / "blank.raw")
    for form in ("raw", "qcow2"):
        text = blank_text(spec, form)
        spec.write_text(text)
        refused(run(spec, "apply", "-y"), "image")
    assert "backing" in run(spec, "apply", "-y").stderr
    assert machines() == ""
    assert not [name for name in images() if name.startswith(("image-", "incoming-"))]


def test_another_clouds_host(spec: Path, agent: None) -> None:
    assert run(spec, "apply", "-y").returncode == 0
    other = spec.with_name("other.yaml")
    other.write_text(spec.read_text().replace("cloud: lab", "cloud: other"))
    refused(run(other, "apply", "-y"), "lab", "here")
    assert run(spec, "plan", "--detailed-exitcode").returncode == 0


def test_a_machine_of_the_same_name_without_our_mark(spec: Path, agent: None, tmp_path: Path) -> None:
    xml = tmp_path / "foreign.xml"
    xml.write_text("<domain type='qemu'><name>box-1</name><memory>16384</memory><os><type>hvm</type></os></domain>")
    subprocess.run(["virsh", "-q", "define", xml], check=True)
    try:
        refused(run(spec, "apply", "-y"), "box-1")
        assert machines() == "box-1"
    finally:
        subprocess.run(["virsh", "-q", "undefine", "box-1"], check=True)


def test_pool_full(spec: Path, tmp_path: Path) -> None:
    pool = Path("/var/lib/cloudsync/pool")
    pool.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", pool], check=True)
    try:
        with running_agent():
            refused(run(spec, "apply", "-y"), "here")
            assert machines() == ""
            subprocess.run(["mount", "-o", "remount,size=110m", pool], check=True)
            done = run(spec, "apply", "-y")
            assert done.returncode == 0, done.stdout + done.stderr
            assert run(spec, "destroy", "-y", "--allow-destroy").returncode == 0
    finally:
        subprocess.run(["umount", pool], check=True)


def test_metadata_port_taken(spec: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 8775))  # noqa: S104
        taken.listen()
        with running_agent():
            refused(run(spec, "apply", "-y"), "8775", "hint")
            assert machines() == ""


@pytest.mark.parametrize(("tool", "package"), [("nft", "nftables"), ("dnsmasq", "dnsmasq-base")])
def test_a_tool_is_missing(tool: str, package: str, spec: Path, tmp_path: Path) -> None:
    """In this machine's own mounts an empty file lies over the program."""
    (tmp_path / "nothing").touch(mode=0o644)
    subprocess.run(["mount", "--bind", tmp_path / "nothing", f"/usr/sbin/{tool}"], check=True)
    try:
        with running_agent():
            refused(run(spec, "apply", "-y"), tool, f"apt-get install {package}")
            assert machines() == ""
    finally:
        subprocess.run(["umount", f"/usr/sbin/{tool}"], check=True)
    with running_agent():
        assert run(spec, "apply", "-y").returncode == 0
        assert run(spec, "plan", "--detailed-exitcode").returncode == 0
        assert run(spec, "destroy", "-y", "--allow-destroy").returncode == 0


def blank_text(spec: Path, form: str) -> str:
    """The spec with the image's format as `form`."""
    return spec.read_text().replace("format: raw", f"format: {form}").replace("format: qcow2", f"format: {form}")


def serve_image(spec: Path, url: str, sha256: str) -> None:
    lines = spec.read_text().splitlines()
    lines = [
        f"  blank: {{source: '{url}', sha256: {sha256}}}" if line.startswith("  blank:") else line for line in lines
    ]
    spec.write_text("\n".join(lines) + "\n")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """The test's folder over HTTP on loopback."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(tmp_path)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout
    words = server.stdout.readline().split()
    yield f"http://127.0.0.1:{words[words.index('port') + 1]}"
    server.terminate()
    server.wait()
    server.stdout.close()
