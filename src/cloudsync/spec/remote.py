"""A host on another machine: how OpenSSH gets there, from its libvirt URI and `hosts.X.ssh`. Pure.

The host checks refuse what cannot be honoured; hosts/tunnel.py runs the command. libvirt's socket is forwarded by the
same connection, so that `netcat` and `proxy`, which say how libvirt would do it, have nothing left to say.
"""

import re
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from cloudsync.model.dataclass import dataclass
from cloudsync.spec.suggest import did_you_mean
from cloudsync.spec.uri import Reach, UriError, reach
from cloudsync.spec.words import quote

SOCKETS = {"legacy": "/run/libvirt/libvirt-sock", "direct": "/run/libvirt/virtqemud-sock"}
"""Where libvirtd (or virtproxyd) and virtqemud listen."""

_USER = r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]*"
_NETLOC = re.compile(rf"(?:({_USER})@)?([A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\])(?::([0-9]{{1,5}}))?")
_PATH = re.compile(r"/[A-Za-z0-9._/+@-]+")
_TLS_ONLY = ("pkipath", "tls_priority")
_SOCKET_ONLY = ("socket", "mode", "netcat", "proxy")
_ASKING = {"password": "password", "keyboard-interactive": "keyboard-interactive"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """`options` come before the host on ssh's command line. `sockets` are where libvirt may listen there, in the order
    to try; none when libvirt is reached without ssh. `query` goes with libvirt's own URI."""

    host: str
    user: str = ""
    port: str = ""
    program: str = "ssh"
    options: tuple[str, ...] = ()
    sockets: tuple[str, ...] = ()
    query: str = ""

    @property
    def where(self) -> str:
        """For people: USER@HOST:PORT."""
        host = f"[{self.host}]" if ":" in self.host and self.port else self.host
        return f"{self.user}@" * bool(self.user) + host + f":{self.port}" * bool(self.port)

    @property
    def arguments(self) -> tuple[str, ...]:
        """ssh's, all but the host."""
        found = [*self.options]
        found += ["-l", self.user] if self.user else []
        found += ["-p", self.port] if self.port else []
        return tuple(found)


def remote(uri: str, ssh: str | None = None) -> Remote | None:
    """None for a host that is not reached by ssh. UriError for what cannot be honoured; `ssh` replaces the URI's user,
    host and port."""
    kind = reach(uri)
    if kind not in (Reach.SSH, Reach.TLS):
        return None
    parts = urlsplit(uri)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    _refuse_senseless(kind, parts.scheme, given)
    user, host, port = _destination(uri, ssh or unquote(parts.netloc))
    auth = {key: value for key, value in given.items() if key == "auth"}
    return Remote(
        host=host,
        user=user,
        port=port if ssh or kind is Reach.SSH else "",
        program=_program(given),
        options=_options(kind, given),
        sockets=_sockets(given) if kind is Reach.SSH else (),
        query=urlencode(auth),
    )


def _refuse_senseless(kind: Reach, scheme: str, given: dict[str, str]) -> None:
    for key in _TLS_ONLY if kind is Reach.SSH else _SOCKET_ONLY:
        if key in given:
            raise UriError(f"the parameter {quote(key)} says nothing over {scheme}", "remove it")
    if given.get("name", "qemu:///system") != "qemu:///system":
        raise UriError(f"name={quote(given['name'])} is not the system's libvirt", "remove it")
    for key in ("no_verify", "no_tty"):
        if given.get(key, "0") not in ("0", "1"):
            raise UriError(f"{key}={quote(given[key])} is neither 0 nor 1", f"for example {key}=1")
    _one_of(given, "proxy", ("auto", "netcat", "native"))
    _one_of(given, "mode", ("auto", *SOCKETS))
    _one_of(given, "known_hosts_verify", ("normal", "auto", "ignore"))


def _one_of(given: dict[str, str], key: str, words: tuple[str, ...]) -> None:
    if key in given and given[key] not in words:
        raise UriError(f"{key}={quote(given[key])} is unknown", did_you_mean(given[key], words))


def _destination(uri: str, text: str) -> tuple[str, str, str]:
    found = _NETLOC.fullmatch(text)
    if not found:
        raise UriError(f"{quote(uri)} does not say USER@HOST:PORT", "for example root@kvm-1:22")
    return found[1] or "", found[2].strip("[]"), found[3] or ""


def _program(given: dict[str, str]) -> str:
    program = given.get("command", "ssh")
    if not program or program.startswith("-") or not program.isprintable():
        raise UriError(f"command={quote(program)} is not a program", "for example command=/usr/bin/ssh")
    return program


def _sockets(given: dict[str, str]) -> tuple[str, ...]:
    if "socket" in given:
        if not _PATH.fullmatch(given["socket"]):
            raise UriError(f"socket={quote(given['socket'])} is not a path", "for example socket=/run/libvirt/x-sock")
        return (given["socket"],)
    mode = given.get("mode", "auto")
    return tuple(SOCKETS.values()) if mode == "auto" else (SOCKETS[mode],)


def _options(kind: Reach, given: dict[str, str]) -> tuple[str, ...]:
    """Those of the URI; ssh takes the first that it is told."""
    found: list[str] = []
    for key, said in _SAID.items():
        if key in given and not (key == "no_verify" and kind is Reach.TLS):
            found += said(given[key])
    return tuple(part for option in found for part in ("-o", option))


def _file(option: str) -> Callable[[str], list[str]]:
    """ssh takes a quoted path, and expands what follows a percent sign."""

    def said(path: str) -> list[str]:
        if not path or not path.isprintable() or '"' in path or "$" in path:
            raise UriError(f"{quote(path)} does not name a file", "write its path")
        return [f'{option}="{path.replace("%", "%%")}"']

    return said


def _verify(value: str) -> list[str]:
    nothing = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "GlobalKnownHostsFile=/dev/null"]
    return {"normal": [], "auto": ["StrictHostKeyChecking=accept-new"], "ignore": nothing}[value]


def _auth(value: str) -> list[str]:
    """libvirt's names for the ways to prove who one is."""
    ways = value.split(",")
    for way in ways:
        if way not in ("agent", "privkey", *_ASKING):
            raise UriError(f"sshauth={quote(way)} is unknown", did_you_mean(way, ("agent", "privkey", *_ASKING)))
    if not {"agent", "privkey"} & set(ways):
        raise UriError("sshauth: nobody is there to be asked for a password", "write sshauth=agent,privkey")
    found = ["PreferredAuthentications=publickey"]
    found += ["IdentityAgent=none"] if "agent" not in ways else []
    return found + (["IdentityFile=none"] if "privkey" not in ways else [])


# The key that is named counts alone: sshd hangs up after a few, and an agent may hold many.
_SAID: dict[str, Callable[[str], list[str]]] = {
    "known_hosts_verify": _verify,
    "known_hosts": _file("UserKnownHostsFile"),
    "no_verify": lambda value: ["StrictHostKeyChecking=no"] if value == "1" else [],
    "sshauth": _auth,
    "keyfile": lambda path: [*_file("IdentityFile")(path), "IdentitiesOnly=yes"],
}
