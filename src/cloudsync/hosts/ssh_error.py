"""What ssh said when it failed, as an error a person can act on. Pure; called by tunnel.py."""

import re
from collections.abc import Sequence

from cloudsync.model.problem import HostError
from cloudsync.spec.remote import Remote

_NOISE = re.compile(r"debug[123]: |OpenSSH_|Authenticated to |@@@|Warning: Permanently added|Pseudo-terminal|\*\* ")
_OFFERED = re.compile(r"debug1: (?:Offering public key|Trying private key): (.+)")
_OFFENDING = re.compile(r"Offending (\S+) key in (.+):([0-9]+)$")
_SERVES = re.compile(r"debug1: Server host key: (\S+ SHA256:\S+)")
_START = "start it there: sudo systemctl start cloudsync-agent (or: sudo cloudsync agent)"
_START_LIBVIRT = "start it there: systemctl start libvirtd, or `virtlogd -d; libvirtd -d` where there is no systemd"


def explained(name: str, remote: Remote, said: Sequence[str]) -> HostError:
    """ssh ended: its last line is the reason."""
    lines = [line for line in said if line and not _NOISE.match(line)]
    reason = _reason(lines)
    return HostError(f"host {name}: ssh {remote.where}: {_clean(reason)}", _clean(_way_out(remote, reason, said)))


def unusable(name: str, remote: Remote, there: str, seen: str) -> HostError:
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
    return HostError(
        f"host {name}: {what} does not answer at {there}",
        f"{start}; if it runs, its sshd forwards no Unix sockets: AllowStreamLocalForwarding yes in sshd_config",
    )


def _reason(lines: Sequence[str]) -> str:
    """The last line; what sshd says when it hangs up says less than what came before it."""
    for line in reversed(lines):
        if not line.startswith(("Connection closed by", "Disconnected from")):
            return line
    return lines[-1] if lines else "it ended without a word"


def _way_out(remote: Remote, reason: str, said: Sequence[str]) -> str:
    port = f" -p {remote.port}" if remote.port else ""
    target = f"{remote.user}@{remote.host}" if remote.user else remote.host
    by_hand = f"ssh{port} {target}"
    if "Permission denied" in reason:
        return _keys(remote, said)
    if "Host key verification failed" in reason:
        return _host_key(remote, said, by_hand)
    if "Could not resolve" in reason:
        return "is the name right, in the URI or in ~/.ssh/config? `getent hosts NAME` asks the resolver"
    if "Connection refused" in reason:
        return "is sshd running there, on that port?"
    if "timed out" in reason or "No route" in reason or "unreachable" in reason:
        return "is the machine on, and does the network or a firewall let ssh through?"
    return f"try it by hand: {by_hand}"


def _keys(remote: Remote, said: Sequence[str]) -> str:
    offered = [found[1] for line in said if (found := _OFFERED.match(line))]
    shown = [" ".join(one.split()[:3]) for one in offered]
    keys = (
        f"keys offered: {'; '.join(dict.fromkeys(shown))}" if shown else "no key was offered: `ssh-add -l` shows some"
    )
    return (
        f"{keys}. Put the public half of one into ~{remote.user}/.ssh/authorized_keys there, or name it with keyfile="
    )


def _host_key(remote: Remote, said: Sequence[str], by_hand: str) -> str:
    """Changed, or never seen."""
    serves = next((found[1] for line in said if (found := _SERVES.match(line))), "")
    check = "its sshd shows its own: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
    for line in said:
        if found := _OFFENDING.search(line):
            known = f"[{remote.host}]:{remote.port}" if remote.port not in ("", "22") else remote.host
            shown = f"it shows {serves}, and {found[2]}:{found[3]} says another ({found[1]})"
            return f"{shown}. If the machine is new, {check}; when they agree: ssh-keygen -f {found[2]} -R '{known}'"
    return f"it shows {serves}, which is not known here: {check}; when they agree, log in once: {by_hand}"


def _clean(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
