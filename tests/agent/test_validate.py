"""What a controller may not send."""

from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import pytest

from cloudsync.agent.validate import MAX_USER_DATA, problems
from cloudsync.model.delta import difference, patched
from cloudsync.model.document import Applied, Entry, HostDocument
from cloudsync.model.resources import Digest, Direction, Group, Keypair, Nic, Rule
from tests.agent.documents import DIGEST, NETWORK, NIC, USER_DATA, document, empty, instance

OTHER = "11111111-2222-4333-8444-555555555556"


def rules(**changes: object) -> HostDocument:
    rule = replace(Rule(direction=Direction.INGRESS), **changes)  # type: ignore[arg-type]
    return document(groups={"default": Group(name="default", rules=(rule,))})


def nic(**changes: object) -> HostDocument:
    return document(instances={"web": instance(nics=(replace(NIC, **changes),))})  # type: ignore[arg-type]


def network(**changes: object) -> HostDocument:
    return document(networks={"default": replace(NETWORK, **changes)})  # type: ignore[arg-type]


def data(text: bytes, size: int | None = None) -> HostDocument:
    digest = sha256(text).hexdigest()
    return document(
        instances={"web": instance(user_data=Digest(sha256=digest, size=len(text) if size is None else size))},
        user_data={digest: b64encode(text).decode()},
    )


def two(**changes: object) -> HostDocument:
    second = Nic(network="default", address="10.20.0.8", mac="52:54:00:00:00:08", tap="cs-0123456789ac")
    other = instance("db", uuid=OTHER, nics=(second,), user_data=None)
    return document(instances={"web": instance(), "db": replace(other, **changes)})  # type: ignore[arg-type]


OTHER_NIC = Nic(network="default", address="10.20.0.8", mac="52:54:00:00:00:08", tap="cs-0123456789ac",
                floating="203.0.113.10")  # fmt: skip
GOOD = [document(), two(nics=(OTHER_NIC,)), empty(1), two(),
        rules(protocol="tcp", ports=(1, 65535), remote="instance.db-1"),
        rules(protocol="dccp", ports=(5, 5)), rules(protocol="udplite", ports=(5, 6)),
        rules(protocol="icmp", icmp=(8, 0)), rules(protocol="255"), rules(remote="0.0.0.0/0"),

        replace(network(subnet="10.20.0.0/31", gateway="10.20.0.1"), instances={}, user_data={}),
        document(keypairs={"alice": document().keypairs["alice"],
                           ".al ice@desk": Keypair(name=".al ice@desk", public_key="ssh-rsa A")}),
        data(b"x" * MAX_USER_DATA)]  # fmt: skip

BAD: list[tuple[HostDocument, str]] = [
    (document(cloud="a b"), "cloud 'a b' is not a name"),
    (document(host="../x"), "host '../x' is not a name"),
    (document(0), "generation 0"),
    (document(uplink='eth0"; drop'), "not an interface name"),
    (document(uplink=".."), "not an interface name"),
    (document(infra=("198.51.100.1/24",)), "infra '198.51.100.1/24'"),
    (document(applied=Applied(by="x\x1b[2J")), "control characters"),
    (document(instances={"Web": instance("Web")}), "not a DNS label"),
    (document(instances={"web\n": instance("web\n")}), "not a DNS label"),
    (document(instances={"web": instance("db")}), "instance 'web' calls itself 'db'"),
    (document(groups={"default": Group(name="default"), 'x"; }': Group(name='x"; }')}), "is not a name"),
    (document(keypairs={"alice": Keypair(name="alice", public_key="ssh-ed25519 A\nssh-rsa B")}), "not one line"),
    (network(subnet="10.20.0.1/16"), "not an IPv4 CIDR"),
    (network(subnet="10.20.0.0/255.255.0.0"), "not an IPv4 CIDR"),
    (network(subnet="fd00::/64"), "not an IPv4 CIDR"),
    (network(subnet="169.254.0.0/16", gateway="169.254.0.1"), "cannot be used by guests"),
    (network(gateway="10.21.0.1"), "gateway '10.21.0.1' is not an address"),
    (network(gateway="10.20.0.0"), "gateway '10.20.0.0' is not an address"),
    (network(dns=("resolver",)), "dns 'resolver'"),
    (network(dns=("2001:db8::53%eth0\nserver=1.2.3.4",)), "is not an IP address"),
    (network(dns=("2001:0db8::53",)), "is not an IP address"),
    (network(domain="demo..internal"), "not a DNS name"),
    (document(keypairs={"a\n": Keypair(name="a\n", public_key="ssh-ed25519 A")}), "not a key pair's name"),
    (rules(protocol="esp"), "protocol 'esp'"),
    (rules(protocol="256"), "protocol '256'"),
    (rules(protocol="06"), "protocol '06'"),
    (rules(protocol="²"), "protocol"),
    (rules(protocol="9" * 5000), "protocol"),
    (rules(protocol="tcp", ports=(2, 1)), "ports 2-1"),
    (rules(protocol="tcp", ports=(1, 65536)), "ports 1-65536"),
    (rules(protocol="tcp", ports=(0, 80)), "ports 0-80"),
    (rules(protocol="33", ports=(1, 2)), "ports need tcp, udp, dccp, sctp, udplite, not '33'"),
    (rules(ports=(1, 2)), "ports need tcp"),
    (rules(icmp=(1, 1)), "ICMP type needs"),
    (rules(protocol="icmp", icmp=(256, None)), "outside 0-255"),
    (rules(remote="group.x y"), "remote 'group.x y'"),
    (rules(remote="network.none"), "remote 'network.none'"),
    (rules(remote="10.0.0.1/8"), "remote '10.0.0.1/8'"),
    (document(members={"group.default": ("10.20.0.7/32",)}), "members"),
    (document(instances={"web": instance(uuid="../../x")}), "not a UUID"),
    (document(instances={"web": instance(host="kvm-2")}), "for host 'kvm-2'"),
    (document(instances={"web": instance(image="image")}), "not a SHA-256"),
    (document(instances={"web": instance(groups=("nope",))}), "group 'nope' is not in the document"),
    (document(instances={"web": instance(keypairs=("bob",))}), "keypair 'bob' is not in the document"),
    (nic(tap="eth0"), "tap 'eth0'"),
    (nic(tap="cs-0123456789AB"), "tap 'cs-0123456789AB'"),
    (nic(tap="cs-0123456789ab\n"), "tap"),
    (nic(mac="52:54:00:00:00:0G"), "MAC"),
    (nic(mac="ff:ff:ff:ff:ff:ff"), "MAC"),
    (nic(network="other"), "network 'other' is not in the document"),
    (nic(address="10.21.0.7"), "address '10.21.0.7'"),
    (nic(address="10.20.0.1"), "address '10.20.0.1'"),
    (nic(address="10.20.255.255"), "address '10.20.255.255'"),
    (nic(address="010.20.0.7"), "address '010.20.0.7'"),
    (two(uuid=instance().uuid), "uuid"),
    (two(nics=(replace(NIC, address="10.20.0.9", mac="52:54:00:00:00:09"),)), "tap 'cs-0123456789ab' is used 2"),
    (two(nics=(replace(NIC, tap="cs-0123456789ad", mac="52:54:00:00:00:09"),)), "address '10.20.0.7' is used 2"),
    (two(nics=(replace(NIC, tap="cs-0123456789ad", address="10.20.0.9"),)), "MAC '52:54:00:00:00:07' is used 2"),
    (document(directory={"web.evil": Entry(uuid=OTHER, host="h", addresses=())}), "directory"),
    (document(directory={"web": Entry(uuid=OTHER, host="h", addresses=("x",))}), "directory"),
    (document(directory={"web": Entry(uuid=OTHER, host="h", addresses=(), floating=("x",))}), "directory"),
    (nic(floating="203.0.113.010"), "floating address '203.0.113.010' is not"),
    (nic(floating="203.0.113.10; drop"), "is not an IPv4 address of one machine"),
    (nic(floating="127.0.0.1"), "floating address '127.0.0.1' is not"),
    (nic(floating="169.254.169.254"), "floating address '169.254.169.254' is not"),
    (nic(floating="224.0.0.1"), "floating address '224.0.0.1' is not"),
    (nic(floating="10.20.0.7"), "belongs to a network of the document"),
    (nic(floating="10.20.0.1"), "belongs to a network of the document"),
    (nic(floating="198.51.100.11"), "is a host's"),
    (two(nics=(OTHER_NIC, replace(OTHER_NIC, tap="cs-0123456789ad", address="10.20.0.9", mac="52:54:00:00:00:09"))),
     "floating address '203.0.113.10' is used 2"),
    (document(user_data={}), "user-data is not in the document"),
    (document(user_data={DIGEST: "%%%"}), "not base64"),
    (document(user_data={DIGEST: b64encode(USER_DATA + b"!").decode()}), "does not have that SHA-256"),
    (data(b"x" * (MAX_USER_DATA + 1)), "49149 are allowed"),
    (data(b"abc", 4), "not what its instance says"),
]  # fmt: skip


@pytest.mark.parametrize("wanted", GOOD)
def test_good_documents_pass(wanted: HostDocument) -> None:
    assert problems(wanted) == []


@pytest.mark.parametrize(("wanted", "word"), BAD)
def test_bad_documents_are_told(wanted: HostDocument, word: str) -> None:
    found = problems(wanted)
    assert any(word in text for text in found), found


def test_no_message_quotes_a_secret_or_steers_a_terminal() -> None:
    for wanted, _ in BAD:
        text = "".join(problems(wanted))
        assert text.isprintable()
        assert "secret-word" not in text
        assert all(value not in text for value in wanted.user_data.values())


@pytest.mark.parametrize(("wanted", "word"), BAD)
def test_a_change_to_a_good_document_is_judged_as_the_whole(wanted: HostDocument, word: str) -> None:
    """Only what is new is looked at. Data under a digest that is known does not even travel."""
    good = document()
    assert problems(good, good) == []
    try:
        changed = patched(good, difference(good, wanted))
    except ValueError:
        assert (wanted.cloud, wanted.host) != (good.cloud, good.host)
        return
    arrived = {digest: good.user_data.get(digest, text) for digest, text in wanted.user_data.items()}
    assert problems(changed, good) == problems(replace(wanted, user_data=arrived))


@pytest.mark.parametrize("lost", ["groups", "keypairs", "networks", "user_data"])
def test_what_stayed_is_judged_again_when_it_has_lost_what_it_refers_to(lost: str) -> None:
    good = document()
    found = problems(replace(good, **{lost: {}}), good)  # type: ignore[arg-type]
    assert any("is not in the document" in text for text in found), found


def test_what_is_known_is_not_looked_at_again() -> None:
    bad = document(directory={"web.evil": Entry(uuid=OTHER, host="h", addresses=("x",))}, members={"group.x": ("y",)})
    assert problems(bad) != []
    assert problems(bad, bad) == []
