"""What of a remote, and of a stranger's commit that is followed, reaches into this machine: nothing."""

import subprocess
from pathlib import Path

import pytest

from cloudsync.model.cloud import Host
from cloudsync.model.problem import CloudsyncError, SpecError
from cloudsync.spec.git import fetch
from cloudsync.spec.inroads import inroads
from tests.metadata.running import ended
from tests.spec.followed import SPEC, Site, taken
from tests.spec.repository import Repository

pytestmark = pytest.mark.slow


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.new(tmp_path)


def test_what_is_no_branch_of_a_remote(site: Site) -> None:
    unknown, malformed = ("nowhere/main", "-x/main"), ("main", "origin/", "origin/a:b", "origin/*", "/main", "")
    for written in (*unknown, *malformed):
        with pytest.raises(CloudsyncError) as caught:
            site.branch(written)
        assert caught.value.hint == ("origin/BRANCH" if written in unknown else "for example origin/main")


def test_ways_that_are_not_taken(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On two of them anybody may change what is sent: they are good for what is signed."""
    monkeypatch.chdir(tmp_path)
    plain = ["http://127.0.0.1:1/x", "git://127.0.0.1:1/x"]
    for url, signed in [("ext::touch sprung", False), *((one, True) for one in plain), ("/nowhere", True)]:
        subprocess.run(["git", "-C", str(site.here), "remote", "set-url", "origin", url], check=True)
        for signers in (None, tmp_path):
            with pytest.raises(CloudsyncError, match="origin/main cannot be fetched: ") as caught:
                site.follower(signers).fetch()
            refused = "not allowed" in caught.value.message
            assert refused == (url != "/nowhere" and not (signed and signers)), url
    assert not (tmp_path / "sprung").exists()


def test_a_remote_that_says_nothing_is_given_up(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that git has started for it."""
    monkeypatch.setenv("GIT_SSH_COMMAND", f"echo $$ >{tmp_path}/pid; sleep 600; :")
    subprocess.run(["git", "-C", str(site.here), "remote", "set-url", "origin", "ssh://h1.invalid/x"], check=True)
    with pytest.raises(CloudsyncError, match="it took more than 1 seconds"):
        fetch(site.here, "origin", "main", plain=False, seconds=1)
    assert ended(int((tmp_path / "pid").read_text()))


def test_no_password_is_told(site: Site) -> None:
    url = "https://user:hunter2@127.0.0.1:1/x"
    subprocess.run(["git", "-C", str(site.here), "remote", "set-url", "origin", url], check=True)
    with pytest.raises(CloudsyncError) as caught:
        site.follower().fetch()
    assert "127.0.0.1" in caught.value.message
    assert "hunter2" not in caught.value.message


def test_no_hook_of_the_clone_runs(site: Site, tmp_path: Path) -> None:
    for name in ("reference-transaction", "post-checkout", "post-merge"):
        hook = site.here / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
        hook.chmod(0o755)
    site.push(cloud_yaml=SPEC + "# second\n")
    taken(site.follower())
    assert not (tmp_path / "sprung").exists()


def test_a_submodule_is_not_fetched(site: Site, tmp_path: Path) -> None:
    other = Repository.new(tmp_path / "other")
    other.commit(x="x")
    site.desk.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.folder), "sub")
    tip = site.push()
    assert taken(site.follower()) == tip
    assert not (site.here / ".git/modules").exists()


LIBVIRT = "qemu+ssh://root@h1.invalid/system?"
INROADS = [
    LIBVIRT + "command=/bin/sh",
    LIBVIRT + "keyfile=/root/.ssh/other",
    LIBVIRT + "known_hosts=/dev/null",
    LIBVIRT + "known_hosts_verify=ignore",
    LIBVIRT + "sshauth=privkey&no_verify=1",
    "qemu+unix:///system?socket=/tmp/x",
    "qemu+tls://h1.invalid/system?pkipath=/tmp",
    "sim:",
    "sim:?vcpus=16&memory=64GiB",
    "sim:?path=/tmp/elsewhere.json",
    "sim:?vcpus=2&path=../elsewhere.json",
]


@pytest.mark.parametrize("uri", INROADS)
def test_what_reaches_into_this_machine(uri: str) -> None:
    hosts = {"h1": Host(name="h1", uri=uri)}
    found = list(inroads(hosts, frozenset([uri[:-1], uri + "x"])))
    assert [one.trail for one in found] == [("hosts", "h1", "uri")]
    assert list(inroads(hosts, frozenset([uri]))) == []


@pytest.mark.parametrize("uri", ["qemu:///system", LIBVIRT + "sshauth=agent", LIBVIRT[:-1]])
def test_what_does_not(uri: str) -> None:
    assert list(inroads({"h1": Host(name="h1", uri=uri)}, frozenset())) == []


def test_a_commit_chooses_no_program_and_no_file_here(site: Site) -> None:
    """Unless the file that the person has here says the same."""
    uri = LIBVIRT + "command=/bin/sh"
    text = SPEC.replace("{uri: 'sim:'}", f"{{uri: '{uri}', address: 198.51.100.1}}")
    tip = site.push(cloud_yaml=text)
    with pytest.raises(SpecError) as caught:
        taken(site.follower())
    assert "which this machine does not yet know of" in caught.value.problems[0].message
    (site.here / "cloud.yaml").write_text(text)
    assert taken(site.follower()) == tip


def test_a_commit_makes_up_no_host(site: Site) -> None:
    """Instances would be placed on it, and run nowhere."""
    text = SPEC.replace("{uri: 'sim:'}", "{uri: 'sim:'}, h4: {uri: 'sim:?vcpus=16&memory=64GiB'}")
    assert "h4" in text
    tip = site.push(cloud_yaml=text)
    with pytest.raises(SpecError) as caught:
        taken(site.follower())
    assert [one.message for one in caught.value.problems] == [
        'the URI of host "h4" says sim:, which this machine does not yet know of'
    ]
    (site.here / "cloud.yaml").write_text(text)
    assert taken(site.follower()) == tip


def test_a_commit_puts_no_file_of_this_machine_on_a_disk(site: Site, tmp_path: Path) -> None:
    (tmp_path / "outside.raw").write_bytes(bytes(4096))
    (site.here / "link.raw").symlink_to(tmp_path / "outside.raw")
    paths = ["/etc/hostname", "../outside.raw", "link.raw", ".git/config"]
    site.push(cloud_yaml=SPEC + "".join(f"  i{index}: {{source: 'file:{path}'}}\n" for index, path in enumerate(paths)))
    with pytest.raises(SpecError) as caught:
        taken(site.follower())
    found = [one.message for one in caught.value.problems]
    assert ["is outside" in one or "belongs to Git" in one for one in found] == [True] * len(paths)


def test_an_image_file_beside_the_spec_need_not_be_committed(site: Site) -> None:
    (site.here / "blank.raw").write_bytes(bytes(4096))
    site.push(cloud_yaml=SPEC + "  blank: {source: 'file:blank.raw'}\n")
    follower = site.follower()
    assert follower.cloud(follower.fetch()).images["blank"].source == str(site.here / "blank.raw")
