"""Host URIs: which kind a host is, and what is wrong with its URI. Pure; the host checks and simulated hosts use it."""

import posixpath
from enum import StrEnum
from functools import lru_cache
from urllib.parse import parse_qsl, urlsplit

from cloudsync.model.dataclass import dataclass
from cloudsync.spec import units
from cloudsync.spec.suggest import did_you_mean
from cloudsync.spec.words import quote

ARCHITECTURES = ("x86_64", "aarch64")
SIMULATED = ("vcpus", "memory", "disk", "path", "arch")
# https://libvirt.org/uri.html: what the remote driver understands after the "?".
LIBVIRT = (
    *("name", "command", "socket", "mode", "auth", "netcat", "proxy", "keyfile", "pkipath", "no_verify", "no_tty"),
    *("known_hosts", "known_hosts_verify", "sshauth", "tls_priority"),
)


class Reach(StrEnum):
    """How the host is reached."""

    SIMULATED = "simulated"
    LOCAL = "local"
    SSH = "ssh"
    TLS = "tls"


class UriError(ValueError):
    """Not a host's URI; `hint` is how to write it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What a simulated host has; sizes in bytes. `path` is its state file, empty for the default."""

    vcpus: int = 16
    memory: int = 64 << 30
    disk: int = 1 << 40
    path: str = ""
    arch: str = "x86_64"

    def file(self, name: str) -> str:
        """The state file of the host called `name`, relative to the spec unless it is absolute."""
        return posixpath.normpath(self.path) if self.path else f".cloudsync/sim/{name}.json"


def reach(uri: str) -> Reach:
    """UriError unless `uri` is one that a host may have."""
    if uri.partition(":")[0] == "sim":
        simulated(uri)
        return Reach.SIMULATED
    try:
        parts = urlsplit(uri)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise UriError(f"{quote(uri)} is not a URI", "for example qemu:///system") from None
    if parts.password is not None:
        raise UriError("a password must not stand in a URI", "use an ssh key")
    kinds = {"qemu": Reach.TLS if host else Reach.LOCAL, "qemu+unix": Reach.LOCAL}
    kinds |= {"qemu+ssh": Reach.SSH, "qemu+libssh": Reach.SSH, "qemu+libssh2": Reach.SSH, "qemu+tls": Reach.TLS}
    if parts.scheme not in kinds:
        hint = did_you_mean(parts.scheme, (*kinds, "sim")) if parts.scheme else "for example qemu:///system, or sim:"
        raise UriError(f"{quote(uri)} is not a host that can be driven", hint)
    found = kinds[parts.scheme]
    if found is not Reach.LOCAL and not host:
        raise UriError(f"{quote(uri)} names no host", f"write {parts.scheme}://HOST/system")
    if parts.path != "/system":
        better = parts._replace(path="/system", query="").geturl()
        better = better if host else f"{parts.scheme}:///system"
        raise UriError(f"{quote(uri)} is not the system's libvirt", f"write {better}")
    _parameters(parts.query, LIBVIRT)
    return found


@lru_cache(maxsize=4096)
def simulated(uri: str) -> Simulated:
    """What `sim:?vcpus=16&memory=64GiB&disk=1TiB&path=FILE&arch=x86_64` says, each part optional."""
    rest, question, query = uri.removeprefix("sim:").partition("?")
    if rest:
        raise UriError(f"{quote(uri)} is not a simulated host", "write sim:?vcpus=16&memory=64GiB&disk=1TiB")
    given = _parameters(query, SIMULATED) if question else {}
    arch = given.get("arch", "x86_64")
    if arch not in ARCHITECTURES:
        raise UriError(f"the architecture {quote(arch)} is unknown", did_you_mean(arch, ARCHITECTURES))
    return Simulated(
        vcpus=_vcpus(given.get("vcpus", "16")),
        memory=_size("memory", given.get("memory", "64GiB")),
        disk=_size("disk", given.get("disk", "1TiB")),
        path=_file(given.get("path", "")),
        arch=arch,
    )


def _vcpus(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 100_000):
        raise UriError(f"vcpus={text[:20]}: not a number of CPUs", "for example vcpus=16")
    return int(text)


def _file(path: str) -> str:
    if not path.isprintable() or path.endswith("/") or posixpath.basename(path) in (".", ".."):
        raise UriError(f"path={quote(path)[1:-1]} does not name a file", "for example path=kvm-1.json")
    return path


def _size(key: str, text: str) -> int:
    try:
        return units.parse(text)
    except units.SizeError as error:
        raise UriError(f"{key}: {error}", error.hint) from None


def _parameters(query: str, known: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in parse_qsl(query, keep_blank_values=True, max_num_fields=50) if query.count("&") < 50 else ():
        if key not in known:
            raise UriError(f"the parameter {quote(key)} is unknown in this URI", did_you_mean(key, known))
        if key in found:
            raise UriError(f"the parameter {quote(key)} is there twice", "keep one")
        found[key] = value
    return found
