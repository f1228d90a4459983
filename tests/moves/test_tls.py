"""Hosts that have certificates send a running machine by TLS; one that shows a stranger's gets nothing. A host's own
libvirt is reached by TLS, too."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.eventually import eventually
from tests.lab.lab import Hosts
from tests.moves.scene import Scene, on

pytestmark = pytest.mark.real
FOLDER = "/etc/libvirt/pki"
SETTINGS, LISTENING = "/etc/libvirt/qemu.conf", "/etc/libvirt/libvirtd-tls.conf"
KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
FIT = "keyUsage=digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=IP:{}\n"


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def authority(folder: Path) -> Path:
    folder.mkdir(mode=0o755)
    more = ["-addext", "keyUsage=critical,keyCertSign"]
    openssl(folder, "req", "-x509", *KEY, "-keyout", "ca-key.pem", "-out", "ca-cert.pem", "-subj", "/CN=lab", *more)
    return folder


def sign(it: Hosts, host: str, folder: Path, *more: str) -> None:
    """A certificate of the authority in `folder` for a host's address; `more` is for openssl."""
    (folder / "fit").write_text(FIT.format(it.seats[host].address))
    openssl(folder, "req", *KEY, "-keyout", "server-key.pem", "-out", "asked", "-subj", f"/CN={host}")
    by = ["-CA", "ca-cert.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-extfile", "fit"]
    openssl(folder, "x509", "-req", "-in", "asked", *by, *more, "-out", "server-cert.pem")


def certify(it: Hosts, host: str, folder: Path) -> None:
    """Give a host a certificate of the authority in `folder`, for its address, and have libvirt read it."""
    sign(it, host, folder)
    it.run(host, "mkdir", "-p", FOLDER)
    for kind in ("key", "cert"):
        for role in ("server", "client"):
            it.run(host, "cp", str(folder / f"server-{kind}.pem"), f"{FOLDER}/{role}-{kind}.pem")
    it.run(host, "cp", str(folder / "ca-cert.pem"), FOLDER)
    it.run(host, "chown", "-R", "libvirt-qemu", FOLDER)
    it.run(host, "sh", "-c", f"echo 'migrate_tls_x509_cert_dir = \"{FOLDER}\"' >> /etc/libvirt/qemu.conf")
    it.stop(host)
    it.start(host)


@pytest.fixture(autouse=True)
def as_they_were(it: Hosts) -> Iterator[None]:
    """Other tests' hosts have no certificates, and libvirt's own settings."""
    kept = {host: it.run(host, "cat", SETTINGS).stdout for host in it.names}
    yield
    it.start(*it.names)
    for host in it.names:
        it.run(host, "rm", "-rf", FOLDER, LISTENING)
        it.run(host, "sh", "-c", f"cat > {SETTINGS} <<'END'\n{kept[host].rstrip()}\nEND")
    it.stop(*it.names)
    it.start(*it.names)


@pytest.fixture
def secret(scene: Scene, tmp_path: Path) -> Iterator[Scene]:
    lab = authority(tmp_path / "lab")
    for host in scene.it.names:
        certify(scene.it, host, lab)
    yield scene


def test_it_travels_unread_or_not_at_all(secret: Scene, tmp_path: Path) -> None:
    secret.write(box=on("h1"))
    secret.apply()
    secret.fill("h1", "box")
    certify(secret.it, "h2", authority(tmp_path / "strangers"))
    secret.write(box=on("h2"))
    said = secret.run("apply", "-y")
    assert said.returncode == 1, said.stdout + said.stderr
    assert "certificate" in said.stderr
    assert secret.machines("h1") == {"box": "running"}
    certify(secret.it, "h2", tmp_path / "lab")
    assert "in the clear" not in secret.apply()
    assert secret.machines("h2") == {"box": "running"}
    assert secret.holds("h2", "box")
    secret.settled()


def listen(it: Hosts, host: str, folder: Path) -> None:
    """Start libvirtd anew, to listen for TLS with the certificate in `folder`."""
    names = {"ca": "ca-cert", "cert": "server-cert", "key": "server-key"}
    said = "".join(f'{key}_file = "{folder}/{name}.pem"\n' for key, name in names.items())
    more = f"tls_no_sanity_certificate = 1\n{said}"
    it.run(host, "pkill", "-x", "libvirtd")
    eventually(lambda: it.run(host, "pgrep", "-x", "libvirtd", check=False).stdout, "")
    it.run(host, "sh", "-c", f"cp /etc/libvirt/libvirtd.conf {LISTENING}; cat >> {LISTENING} <<'END'\n{more}END")
    it.run(host, "libvirtd", "-d", "--listen", "-f", LISTENING)


def ours(folder: Path) -> Path:
    """What the person's side shows and trusts."""
    found = folder / "ours"
    found.mkdir()
    for name, kind in (("cacert", "ca-cert"), ("clientcert", "server-cert"), ("clientkey", "server-key")):
        shutil.copy(folder / f"{kind}.pem", found / f"{name}.pem")
    return found


def test_a_host_by_tls_its_agent_by_ssh(scene: Scene, tmp_path: Path) -> None:
    address, by_ssh = scene.it.seats["h2"].address, scene.it.uri("h2")
    lab, strangers = authority(tmp_path / "lab"), authority(tmp_path / "strangers")
    for folder in (strangers, lab):
        sign(scene.it, "h2", folder)
    mine, other = ours(lab), ours(strangers)

    def write(pki: Path, **boxes: str) -> None:
        scene.write(**boxes)
        uri = f"qemu+tls://{address}/system?command={scene.it.keys.client}&pkipath={pki}', ssh: 'root@{address}"
        scene.spec.write_text(scene.spec.read_text().replace(by_ssh, uri))

    listen(scene.it, "h2", lab)
    write(mine, box=on("h2"))
    scene.apply()
    scene.settled()
    write(mine, box=on("h1"))
    scene.apply()
    assert scene.machines("h1") == {"box": "running"}
    scene.settled()
    write(other, box=on("h1"))
    said = scene.run("plan")
    assert "its certificate is not of the authority" in said.stdout
    assert "libvirt version" not in said.stderr
    sign(scene.it, "h2", lab, "-days", "-1")
    listen(scene.it, "h2", lab)
    write(mine, box=on("h1"))
    assert "its certificate expired" in scene.run("plan").stdout
