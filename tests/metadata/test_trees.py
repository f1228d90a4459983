"""Nova's answers, URL by URL: the rows of the reference as literal expectations, asked of the desk."""

import json

import pytest

from cloudsync.agent.metadata.desk import Request
from tests.metadata import world
from tests.metadata.asking import desk, get

EC2_VERSIONS = (
    "1.0\n2007-01-19\n2007-03-01\n2007-08-29\n2007-10-10\n2007-12-15\n2008-02-01\n2008-09-01\n2009-04-04\nlatest"
)
ALL_KEYS = (
    "ami-id\nami-launch-index\nami-manifest-path\nblock-device-mapping/\nhostname\ninstance-action\ninstance-id\n"
    "instance-type\nlocal-hostname\nlocal-ipv4\nplacement/\npublic-hostname\npublic-ipv4\npublic-keys/\n"
    "reservation-id\nsecurity-groups"
)
OLDEST_KEYS = (
    "ami-id\nami-launch-index\nami-manifest-path\nhostname\ninstance-id\nlocal-ipv4\npublic-keys/\nreservation-id\n"
    "security-groups"
)
TEXT = "text/plain; charset=UTF-8"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/", EC2_VERSIONS),
        ("/ec2", EC2_VERSIONS),
        ("/latest", "meta-data/\nuser-data"),
        ("/1.0", "meta-data/\nuser-data"),
        ("/latest/meta-data", ALL_KEYS),
        ("/2009-04-04/meta-data", ALL_KEYS),
        ("/ec2/2009-04-04/meta-data", ALL_KEYS),
        ("/1.0/meta-data", OLDEST_KEYS),
        ("/latest/meta-data/ami-id", "ami-c0ffee00"),
        ("/latest/meta-data/ami-launch-index", "2"),
        ("/latest/meta-data/ami-manifest-path", "FIXME"),
        ("/latest/meta-data/instance-id", "i-0b1c2d3e"),
        ("/latest/meta-data/hostname", "web-1.demo.internal"),
        ("/latest/meta-data/local-hostname", "web-1.demo.internal"),
        ("/latest/meta-data/public-hostname", "web-1.demo.internal"),
        ("/latest/meta-data/local-ipv4", world.ADDRESS_A),
        ("/latest/meta-data/public-ipv4", world.FLOATING),
        ("/latest/meta-data/instance-type", "small"),
        ("/latest/meta-data/instance-action", "none"),
        ("/latest/meta-data/security-groups", "default\nweb"),
        ("/latest/meta-data/placement", "availability-zone"),
        ("/latest/meta-data/placement/availability-zone", "zone-a"),
        ("/latest/meta-data/block-device-mapping", "ami\nroot"),
        ("/latest/meta-data/block-device-mapping/ami", "vda"),
        ("/latest/meta-data/block-device-mapping/root", "/dev/vda"),
        ("/latest/meta-data/public-keys/", "0=me"),
        ("/latest/meta-data/public-keys/0", "openssh-key"),
        ("/latest/meta-data/public-keys/0/", "openssh-key"),
        ("/latest/meta-data/public-keys/0/openssh-key", world.KEY),
        (
            "/openstack",
            "2012-08-10\n2013-04-04\n2013-10-17\n2015-10-15\n2016-06-30\n2016-10-06\n2017-02-22\n2018-08-27\n"
            "2020-10-14\n2025-04-04\nlatest",
        ),
        ("/openstack/2012-08-10", "meta_data.json\nuser_data"),
        ("/openstack/2013-04-04", "meta_data.json\nuser_data\npassword"),
        ("/openstack/2013-10-17", "meta_data.json\nuser_data\npassword\nvendor_data.json"),
        ("/openstack/2015-10-15", "meta_data.json\nuser_data\npassword\nvendor_data.json\nnetwork_data.json"),
        (
            "/openstack/latest",
            "meta_data.json\nuser_data\npassword\nvendor_data.json\nnetwork_data.json\nvendor_data2.json",
        ),
        ("/openstack/2012-08-10/version", "meta_data.json\nuser_data"),
        ("/openstack/2016-10-06/vendor_data2.json", '{"static": {}}'),
    ],
)
def test_a_url_has_novas_answer(path: str, text: str) -> None:
    answer = get(path)
    assert (answer.status, answer.body.decode()) == (200, text)


@pytest.mark.parametrize(
    "path",
    [
        "/2016-09-02/meta-data/instance-id",
        "/2021-03-23/meta-data/instance-id",
        "/nonsense",
        "/latest/nonsense",
        "/latest/meta-data/nonsense",
        "/latest/meta-data/hostname/x",
        "/latest/meta-data/security-groups/default",
        "/latest/meta-data/public-keys/0=me",
        "/latest/meta-data/public-keys/1",
        "/latest/user-data/x",
        "/latest/dynamic/instance-identity/document",
        "/latest/api/token",
        "/1.0/meta-data/instance-type",
        "/2007-12-14",
        "/2007-10-10/meta-data/block-device-mapping",
        "/2007-12-15/meta-data/placement",
        "/2008-02-01/meta-data/instance-action",
        "/latest/meta-data/kernel-id",
        "/openstack/2012-08-10/password",
        "/openstack/2013-04-04/vendor_data.json",
        "/openstack/2016-06-30/vendor_data2.json",
        "/openstack/2026-01-01",
        "/openstack/latest/meta_data.json/x",
        "/openstack/latest/nonsense",
        "/openstack/content",
        "/openstack/content/0000",
        "/openstack/latest/password/x",
        "/ec2/ec2/latest",
        "/ec2/openstack",
        "/cloudsync",
        "/cloudsync/report",
        "/cloudsync/phone-home",
    ],
)
def test_what_is_absent_is_404(path: str) -> None:
    assert get(path).status == 404


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", TEXT),
        ("/latest/meta-data/", TEXT),
        ("/latest/meta-data/hostname", TEXT),
        ("/latest/user-data", TEXT),
        ("/openstack", TEXT),
        ("/openstack/latest", TEXT),
        ("/openstack/latest/user_data", TEXT),
        ("/openstack/latest/network_data.json", TEXT),
        ("/openstack/latest/meta_data.json", "application/json"),
        ("/openstack/latest/vendor_data.json", "application/json"),
        ("/openstack/latest/vendor_data2.json", "application/json"),
        ("/openstack/latest/password", "text/html; charset=UTF-8"),
        ("/nonsense", "text/html; charset=UTF-8"),
    ],
)
def test_the_content_type_is_novas(path: str, kind: str) -> None:
    answer = get(path)
    assert answer.kind == kind
    assert f"\r\nContent-Type: {kind}\r\n".encode() in answer.head


@pytest.mark.parametrize(
    "path",
    [
        "/latest/",
        "//latest",
        "///latest//",
        "/latest?x=/openstack",
        "/latest#x",
        "/./latest/.",
        "/openstack/../latest",
        "/../../latest",
        "/%6catest",
        "/latest%2F",
        "http://169.254.169.254/latest",
        "/ec2/latest",
    ],
)
def test_a_path_is_normalised_and_never_redirected(path: str) -> None:
    assert get(path).body == b"meta-data/\nuser-data"


@pytest.mark.parametrize("method", [b"HEAD", b"PUT", b"POST", b"DELETE", b"OPTIONS"])
def test_the_method_is_ignored(method: bytes) -> None:
    assert get("/latest/meta-data/hostname", method=method).body == b"web-1.demo.internal"


def test_user_data_comes_as_it_was_given() -> None:
    assert get("/latest/user-data").body == world.USER_DATA
    assert get("/openstack/latest/user_data").body == world.USER_DATA
    assert b"Content-Encoding" not in get("/latest/user-data").head


def test_without_user_data_it_is_neither_listed_nor_there() -> None:
    assert get("/latest", world.ADDRESS_B).body == b"meta-data/"
    assert b"user_data" not in get("/openstack/latest", world.ADDRESS_B).body
    assert get("/latest/user-data", world.ADDRESS_B).status == 404
    assert get("/openstack/latest/user_data", world.ADDRESS_B).status == 404


def test_without_a_key_and_a_zone() -> None:
    assert b"public-keys" not in get("/latest/meta-data/", world.ADDRESS_B).body
    assert get("/latest/meta-data/public-keys", world.ADDRESS_B).status == 404
    assert get("/latest/meta-data/placement/availability-zone", world.ADDRESS_B).body == b"None"
    plain = json.loads(get("/openstack/latest/meta_data.json", world.ADDRESS_B).body)
    assert plain["availability_zone"] is None
    assert not {"meta", "public_keys", "keys", "files", "network_config"} & plain.keys()


def test_every_leaf_that_a_listing_names_is_there() -> None:
    """cloud-init retries a listed 404 for five seconds and then drops the whole tree."""
    waiting, seen = ["/latest/meta-data/"], 0
    while waiting:
        folder = waiting.pop()
        for name in get(folder).body.decode().split("\n"):
            number, equals, _ = name.partition("=")
            if name.endswith("/"):
                waiting.append(folder + name)
            else:
                seen += 1
                assert get(folder + (f"{number}/openssh-key" if equals else name)).status == 200
    assert seen == 17


def test_versions_of_the_future_are_hidden_but_answered() -> None:
    assert get("/openstack", today="2013-04-04").body == b"2012-08-10\n2013-04-04\nlatest"
    assert get("/openstack/2025-04-04", today="2013-04-04").status == 200


def test_an_error_is_in_the_shape_the_client_prefers() -> None:
    def kind(accept: str) -> str:
        return desk().answer(Request(world.ADDRESS_A, b"GET", b"/nonsense", accept)).kind

    assert kind("*/*") == "text/html; charset=UTF-8"
    assert kind("application/json") == "application/json"
    assert kind("image/png") == TEXT
