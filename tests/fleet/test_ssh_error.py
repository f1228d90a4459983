"""What ssh said, as recorded from OpenSSH 9.2, becomes what is wrong and what to do."""

import pytest

from cloudsync.hosts.ssh_error import explained, unusable
from cloudsync.spec.remote import Remote

FAR = Remote(host="far", user="root", sockets=("/run/libvirt/libvirt-sock",))
TURNED = """\
debug1: Connecting to far [192.0.2.2] port 22.
debug1: Connection established.
debug1: Authenticating to far:22 as 'root'
debug1: Server host key: ssh-ed25519 SHA256:far
"""
OFFERED = "debug1: Offering public key: {0} ED25519 SHA256:abc {1}\n"
ACCEPTED = OFFERED + "debug1: Server accepts key: {0} ED25519 SHA256:abc {1}\n"
DENIED = "root@far: Permission denied (publickey).\n"
JUMP = """\
debug1: Executing proxy command: exec ssh -l me -v -W '[far]:22' jump
debug1: Connecting to jump [192.0.2.1] port 2200.
debug1: Authenticating to jump:2200 as 'me'
debug1: Server host key: ssh-ed25519 SHA256:jump
"""
GONE = "kex_exchange_identification: Connection closed by remote host\nConnection closed by UNKNOWN port 65535\n"
BY = "by way of me@jump:2200: "
MANY = "Received disconnect from 192.0.2.2 port 22:2: Too many authentication failures\nDisconnected from far port 22\n"
OPEN = "@@@@\nPermissions 0644 for '/k' are too open.\nLoad key \"/k\": bad permissions\n"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (TURNED + "".join(OFFERED.format(f"k{n}", "agent") for n in range(6)) + MANY, ["after 6 keys", "keyfile="]),
        (TURNED + ACCEPTED.format("/k", "explicit") + DENIED, ["takes /k, which has a passphrase", "`ssh-add /k`"]),
        (TURNED + ACCEPTED.format("/k", "explicit") + OPEN + DENIED, ["chmod 600 /k"]),
        (TURNED + ACCEPTED.format("/k", "agent") + DENIED, ["the ssh agent does not sign"]),
        (TURNED + "no such identity: /k: No such file or directory\n" + DENIED, ["/k is not there; no key"]),
        (TURNED + "debug1: Trying private key: /root/.ssh/id_rsa\n" + DENIED, ["no key was offered"]),
        (TURNED + "root@far: Permission denied (password).\n", ["it takes no keys", "PubkeyAuthentication"]),
        (TURNED.splitlines()[0] + "\n" + GONE, ["kex_exchange_identification", "MaxStartups"]),
        (TURNED + "Connection closed by 192.0.2.2 port 22\n", ["Connection closed by", "its log says why"]),
        (JUMP + "Host key verification failed.\n" + GONE, [BY + "Host key", "SHA256:jump", "-p 2200 me"]),
        (JUMP + "me@jump: Permission denied (publickey).\n" + GONE, [BY + "me@jump: ", "~me/.ssh"]),
        (
            JUMP + "channel 0: open failed: connect failed: Connection refused\nstdio forwarding failed\n" + GONE,
            [BY + "channel 0: open failed: connect failed: Connection refused", "is sshd running there"],
        ),
        (
            JUMP + "channel 0: open failed: administratively prohibited: open failed\nstdio forwarding failed\n" + GONE,
            ["AllowTcpForwarding yes"],
        ),
        (
            "debug1: Executing proxy command: exec nc far\n/bin/sh: 1: exec: nc: not found\n" + GONE,
            ["on the way there: /bin/sh: 1: exec: nc: not found"],
        ),
        (JUMP + TURNED + OFFERED.format("/k", "explicit") + DENIED, ["ssh root@far: root@far: Perm", "~root/.ssh"]),
    ],
)  # fmt: skip
def test_why_it_ended(said: str, words: list[str]) -> None:
    error = explained("far", FAR, said.splitlines())
    for word in words:
        assert word in f"{error.message}; {error.hint}"


OPTIONS = "debug1: Remote: /root/.ssh/authorized_keys:3: key options: {}agent-forwarding pty"


@pytest.mark.parametrize(
    ("seen", "options", "words"),
    [
        ("missing", "", "the agent is not running"),
        ("refused", "port-forwarding ", "usermod -aG cloudsync root"),
        ("open", "port-forwarding ", "AllowStreamLocalForwarding yes"),
        ("open", "port-forwarding ", "AllowTcpForwarding yes"),
        ("open", "port-forwarding permitopen ", "take `permitopen` out of /root/.ssh/authorized_keys:3 there"),
        ("open", "", "out of /root/.ssh/authorized_keys:3 there"),
        ("silent", "port-forwarding ", "the agent does not answer"),
    ],
)
def test_why_a_socket_is_silent(seen: str, options: str, words: str) -> None:
    error = unusable("far", FAR, "/run/cloudsync/agent.sock", seen, [OPTIONS.format(options)])
    assert words in f"{error.message}; {error.hint}"
