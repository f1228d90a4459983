"""How ssh is told what a host's URI says; what cannot be honoured is refused."""

import re

import pytest

from cloudsync.spec.remote import Remote, remote
from cloudsync.spec.uri import UriError


def of(uri: str, ssh: str | None = None) -> Remote:
    found = remote(uri, ssh)
    assert found
    return found


@pytest.mark.parametrize("uri", ["qemu:///system", "sim:", "qemu+unix:///system?socket=/run/x"])
def test_what_is_on_this_machine_needs_no_ssh(uri: str) -> None:
    assert remote(uri) is None


@pytest.mark.parametrize(
    ("uri", "arguments", "where"),
    [
        ("qemu+ssh://kvm-2/system", (), "kvm-2"),
        ("qemu+ssh://root@KVM-2:2222/system", ("-l", "root", "-p", "2222"), "root@KVM-2:2222"),
        ("qemu+libssh2://root@[2001:db8::1]:22/system", ("-l", "root", "-p", "22"), "root@[2001:db8::1]:22"),
        ("qemu+tls://kvm-2:16514/system", (), "kvm-2"),
    ],
)
def test_user_host_and_port(uri: str, arguments: tuple[str, ...], where: str) -> None:
    assert (of(uri).arguments, of(uri).where) == (arguments, where)


def test_what_the_host_says_of_ssh_replaces_them() -> None:
    found = of("qemu+tls://kvm-2.example.org/system?keyfile=/k", "admin@jump:2200")
    assert (found.user, found.host, found.port) == ("admin", "jump", "2200")
    assert found.options == ("-o", 'IdentityFile="/k"', "-o", "IdentitiesOnly=yes")


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("keyfile=/keys/my%20key", ['IdentityFile="/keys/my key"', "IdentitiesOnly=yes"]),
        ("keyfile=/keys/50%25", ['IdentityFile="/keys/50%%"', "IdentitiesOnly=yes"]),
        ("known_hosts=/known", ['UserKnownHostsFile="/known"']),
        ("no_verify=1", ["StrictHostKeyChecking=no"]),
        ("no_verify=0&no_tty=1", []),
        ("known_hosts_verify=auto", ["StrictHostKeyChecking=accept-new"]),
        ("known_hosts_verify=normal", []),
        ("sshauth=agent", ["PreferredAuthentications=publickey", "IdentityFile=none"]),
        ("sshauth=privkey,password", ["PreferredAuthentications=publickey", "IdentityAgent=none"]),
        ("netcat=/bin/nc&proxy=netcat", []),
    ],
)
def test_parameters(query: str, options: list[str]) -> None:
    found = of(f"qemu+ssh://kvm-2/system?{query}").options
    assert found == tuple(part for one in options for part in ("-o", one))


def test_a_key_that_is_ignored_is_compared_with_nothing() -> None:
    options = of("qemu+libssh://kvm-2/system?known_hosts=/known&known_hosts_verify=ignore").options
    assert options.index("UserKnownHostsFile=/dev/null") < options.index('UserKnownHostsFile="/known"')


@pytest.mark.parametrize(
    ("query", "sockets"),
    [
        ("", ("/run/libvirt/libvirt-sock", "/run/libvirt/virtqemud-sock")),
        ("?mode=direct", ("/run/libvirt/virtqemud-sock",)),
        ("?socket=/run/other-sock&mode=legacy", ("/run/other-sock",)),
    ],
)
def test_where_libvirt_listens_there(query: str, sockets: tuple[str, ...]) -> None:
    assert of(f"qemu+ssh://kvm-2/system{query}").sockets == sockets


def test_another_ssh() -> None:
    assert of("qemu+ssh://kvm-2/system?command=/opt/ssh").program == "/opt/ssh"
    assert of("qemu+tls://kvm-2/system?no_verify=1").options == ()


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("qemu+ssh://-oProxyCommand=x/system", "does not say USER@HOST:PORT"),
        ("qemu+ssh://kvm-2;reboot/system", "does not say USER@HOST:PORT"),
        ("qemu+ssh://-l@kvm-2/system", "does not say USER@HOST:PORT"),
        ("qemu+ssh://kvm-2/system?command=-x", "is not a program"),
        ("qemu+ssh://kvm-2/system?socket=/run/x:/etc", "is not a path"),
        ("qemu+ssh://kvm-2/system?socket=x'y", "is not a path"),
        ('qemu+ssh://kvm-2/system?keyfile=/a"b', "does not name a file"),
        ("qemu+ssh://kvm-2/system?pkipath=/pki", "says nothing over qemu+ssh"),
        ("qemu+tls://kvm-2/system?socket=/run/x", "says nothing over qemu+tls"),
        ("qemu+ssh://kvm-2/system?name=qemu:///session", "is not the system's libvirt"),
        ("qemu+ssh://kvm-2/system?no_verify=yes", "is neither 0 nor 1"),
        ("qemu+ssh://kvm-2/system?proxy=nativ", "is unknown"),
        ("qemu+ssh://kvm-2/system?sshauth=password", "nobody is there to be asked"),
        ("qemu+ssh://kvm-2/system?sshauth=agnt", "is unknown"),
    ],
)
def test_what_is_refused(uri: str, words: str) -> None:
    with pytest.raises(UriError, match=re.escape(words)):
        remote(uri)
