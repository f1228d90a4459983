"""Hosts that have certificates send a running machine by TLS; one that shows a stranger's gets nothing."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.lab import Hosts
from tests.moves.scene import Scene, on

pytestmark = pytest.mark.real
FOLDER = "/etc/libvirt/pki"
KEY = ["-newkey", "rsa:2048", "-nodes"]
FIT = "keyUsage=digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=IP:{}\n"


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def authority(folder: Path) -> Path:
    folder.mkdir(mode=0o755)
    more = ["-addext", "keyUsage=critical,keyCertSign"]
    openssl(folder, "req", "-x509", *KEY, "-keyout", "ca-key.pem", "-out", "ca-cert.pem", "-subj", "/CN=lab", *more)
    return folder


def certify(it: Hosts, host: str, folder: Path) -> None:
    """Give a host a certificate of the authority in `folder`, for its address, and have libvirt read it."""
    (folder / "fit").write_text(FIT.format(it.seats[host].address))
    openssl(folder, "req", *KEY, "-keyout", "server-key.pem", "-out", "asked", "-subj", f"/CN={host}")
    by = ["-CA", "ca-cert.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-extfile", "fit"]
    openssl(folder, "x509", "-req", "-in", "asked", *by, "-out", "server-cert.pem")
    it.run(host, "mkdir", "-p", FOLDER)
    for kind in ("key", "cert"):
        for role in ("server", "client"):
            it.run(host, "cp", str(folder / f"server-{kind}.pem"), f"{FOLDER}/{role}-{kind}.pem")
    it.run(host, "cp", str(folder / "ca-cert.pem"), FOLDER)
    it.run(host, "chown", "-R", "libvirt-qemu", FOLDER)
    it.run(host, "sh", "-c", f"echo 'migrate_tls_x509_cert_dir = \"{FOLDER}\"' >> /etc/libvirt/qemu.conf")
    it.stop(host)
    it.start(host)


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
