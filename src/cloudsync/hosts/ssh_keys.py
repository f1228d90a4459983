"""What to do about keys that a host does not take, or that it shows, by what ssh said. Pure; called by ssh_error.py."""

import re
from collections.abc import Sequence

from cloudsync.spec.remote import Remote

_OFFERED = re.compile(r"debug1: Offering public key: (.+)")
_ACCEPTED = re.compile(r"debug1: Server accepts key: (.+?) [A-Z0-9-]+ SHA256:\S+(?: (.*))?$")
_ABSENT = re.compile(r"no such identity: (.+): No such file or directory")
_OPEN = re.compile(r'Load key "(.+)": bad permissions')
_OFFENDING = re.compile(r"Offending (\S+) key in (.+):([0-9]+)$")
_SERVES = re.compile(r"debug1: Server host key: (\S+ SHA256:\S+)")


def refused_keys(remote: Remote, reason: str, said: Sequence[str]) -> str:
    if accepted := [found for line in said if (found := _ACCEPTED.match(line))]:
        return _unusable(accepted[-1], said)
    shown = [" ".join(found[1].split()[:3]) for line in said if (found := _OFFERED.match(line))]
    shown = list(dict.fromkeys(shown))
    if "Too many" in reason:
        which = "with keyfile= in its uri, or with IdentityFile and IdentitiesOnly yes in ~/.ssh/config"
        return f"it hung up after {len(shown)} keys, the right one not yet among them: name that one {which}"
    if "Permission denied (" in reason and "publickey" not in reason:
        return "it takes no keys, and nobody is there to be asked: PubkeyAuthentication yes in sshd_config there"
    offered = f"keys offered: {'; '.join(shown)}" if shown else "no key was offered: `ssh-add -l` shows some"
    absent = [f"{found[1]} is not there; " for line in said if (found := _ABSENT.match(line))]
    file = f"~{remote.user}/.ssh/authorized_keys"
    return (
        f"{''.join(absent)}{offered}. Put the public half of one into {file} there, or name it with keyfile=; if it is "
        "there, sshd_config may keep that user out (AllowUsers, PermitRootLogin)"
    )


def _unusable(key: "re.Match[str]", said: Sequence[str]) -> str:
    """The host would take it."""
    for line in said:
        if found := _OPEN.match(line):
            return f"others may read that key, so ssh does not use it: chmod 600 {found[1]}"
    if "agent" in (key[2] or "").split():
        return f"the host takes {key[1]}, and the ssh agent does not sign with it: unlock or confirm it there"
    return f"the host takes {key[1]}, which has a passphrase: give it to an ssh agent once, `ssh-add {key[1]}`"


def changed_key(remote: Remote, said: Sequence[str], by_hand: str) -> str:
    """Changed, or never seen."""
    serves = next((found[1] for line in said if (found := _SERVES.match(line))), "")
    check = "its sshd shows its own: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
    for line in said:
        if found := _OFFENDING.search(line):
            known = f"[{remote.host}]:{remote.port}" if remote.port not in ("", "22") else remote.host
            shown = f"it shows {serves}, and {found[2]}:{found[3]} says another ({found[1]})"
            return f"{shown}. If the machine is new, {check}; when they agree: ssh-keygen -f {found[2]} -R '{known}'"
    return f"it shows {serves}, which is not known here: {check}; when they agree, log in once: {by_hand}"
