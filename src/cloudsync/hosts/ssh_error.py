"""What ssh said when it failed, as an error a person can act on. Pure; called by tunnel.py."""

import re
from collections.abc import Sequence
from dataclasses import replace

from cloudsync.hosts.ssh_keys import changed_key, refused_keys
from cloudsync.model.problem import HostError
from cloudsync.spec.remote import Remote

_NOISE = re.compile(r"debug[123]: |OpenSSH_|Authenticated to |@@@|Warning: Permanently added|Pseudo-terminal|\*\* ")
_TURNED_TO = re.compile(
    r"debug1: (?:Connecting to (\S+) \[\S+\] port ([0-9]+)|Authenticating to (\S+):([0-9]+) as '(.*)')"
)
_BY_WAY_OF = "debug1: Executing proxy command: "
_UNHEARD = ("kex_exchange_identification: ", "Connection timed out during banner", "banner exchange: ")
"""ssh's words for a host that has not said a word of ssh."""
_LAST = (
    *_UNHEARD,
    "Connection closed by",
    "Connection reset by",
    "Connection to UNKNOWN",
    "Disconnected from",
    "stdio ",
)
"""What says less than the line before it."""
_START = "start it there: sudo systemctl start cloudsync-agent (or: sudo cloudsync agent)"
_START_LIBVIRT = "start it there: systemctl start libvirtd, or `virtlogd -d; libvirtd -d` where there is no systemd"
# sshd forwards no socket either to whom it denies TCP, or all but some ports.
_FORWARD = "set AllowTcpForwarding yes and AllowStreamLocalForwarding yes in sshd_config there, "
_FORWARD += "and neither DisableForwarding nor PermitOpen"
_OPTIONS = re.compile(r"debug1: Remote: (\S+): key options:(.*)")


def explained(name: str, remote: Remote, said: Sequence[str]) -> HostError:
    """ssh ended: its last line that says something is the reason."""
    via, at, since = _failed_at(remote, said)
    lines = [line for line in since if line and not _NOISE.match(line)]
    reason = _reason(lines)
    return HostError(f"host {name}: ssh {remote.where}: {via}{_clean(reason)}", _clean(_way_out(at, reason, since)))


def unusable(name: str, remote: Remote, there: str, seen: str, said: Sequence[str] = ()) -> HostError:
    """ssh is up, and the socket `there` does not answer; `seen` is what a look at it found."""
    what, group, start = "the agent", "cloudsync", _START
    if there in remote.sockets:
        what, group, start = "libvirt", "libvirt", _START_LIBVIRT
    if seen == "missing":
        return HostError(f"host {name}: {what} is not running: {there} is not there", start)
    if seen == "refused":
        who = f"user {remote.user}" if remote.user else "the user that ssh logs in as"
        return HostError(
            f"host {name}: {who} may not use {what}: {there} refuses",
            f"run there: sudo usermod -aG {group} {remote.user or 'USER'}; or log in as root",
        )
    if barred := _barred(said):
        return HostError(f"host {name}: ssh {remote.where}: this key may not forward {what}'s socket {there}", barred)
    if seen == "open":
        return HostError(f"host {name}: sshd there does not forward {what}'s socket {there}", _FORWARD)
    return HostError(
        f"host {name}: {what} does not answer at {there}",
        f"{start}; if it runs, its sshd forwards no Unix sockets: {_FORWARD}",
    )


def _barred(said: Sequence[str]) -> str:
    """The way out where it is the key that may not; empty where it may."""
    options = [found for line in said if (found := _OPTIONS.match(line))]
    where, words = (options[-1][1], options[-1][2].split()) if options else ("", ["port-forwarding"])
    if "port-forwarding" not in words:
        return f"take `restrict` or `no-port-forwarding` out of {where} there, or add `port-forwarding`"
    return f"take `permitopen` out of {where} there: it bars sockets, too" if "permitopen" in words else ""


def _failed_at(remote: Remote, said: Sequence[str]) -> tuple[str, Remote, Sequence[str]]:
    """How ssh's way led there, the machine at which it ended, and what was said of that one: with a ProxyJump each on
    the way is turned to before the next, and its ssh says as much."""
    turns = [(number, found) for number, line in enumerate(said) if (found := _TURNED_TO.match(line))]
    since = said[turns[-1][0] :] if turns else said
    by_another = any(line.startswith(_BY_WAY_OF) for line in said)
    if not by_another or not any(line.startswith(_UNHEARD) for line in since):
        return "", remote, since
    if not turns:
        return "on the way there: ", remote, since
    found = turns[-1][1]
    jump = replace(remote, host=found[1] or found[3], port=found[2] or found[4], user=found[5] or "")
    jump = replace(jump, port="" if jump.port == "22" else jump.port)
    through = any("open failed: connect failed" in line for line in since)
    return f"by way of {jump.where}: ", remote if through else jump, since


def _reason(lines: Sequence[str]) -> str:
    for line in reversed(lines):
        if not line.startswith(_LAST):
            return line
    return lines[0] if lines else "it ended without a word"


def _way_out(remote: Remote, reason: str, said: Sequence[str]) -> str:
    port = f" -p {remote.port}" if remote.port else ""
    target = f"{remote.user}@{remote.host}" if remote.user else remote.host
    by_hand = f"{remote.program}{port} {target}"
    if "Permission denied" in reason or "Too many authentication failures" in reason:
        return refused_keys(remote, reason, said)
    if "Host key verification failed" in reason:
        return changed_key(remote, said, by_hand)
    return next((hint for words, hint in _HINTS if any(word in reason for word in words)), f"try it by hand: {by_hand}")


_HINTS = (
    (
        ("Could not resolve",),
        "is the name right, in the URI or in ~/.ssh/config? `getent hosts NAME` asks the resolver",
    ),
    (("Connection refused",), "is sshd running there, on that port?"),
    (("administratively prohibited",), "let the machine on the way forward: AllowTcpForwarding yes in its sshd_config"),
    (
        ("Stdio forwarding request failed",),
        "is the host on, and its sshd running? May the machine on the way forward (AllowTcpForwarding)?",
    ),
    (
        ("timed out", "No route", "unreachable"),
        "is the machine on, and does the network or a firewall let ssh through?",
    ),
    (
        _UNHEARD,
        "its sshd hangs up before it says a word: too many at once (MaxStartups in sshd_config), or it bars this "
        "machine (PerSourcePenalties, fail2ban); try again, then look at its log",
    ),
    (
        ("Connection closed by", "Connection reset by"),
        "its sshd hung up, and its log says why: `journalctl -u ssh` there",
    ),
)


def _clean(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
