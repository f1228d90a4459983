"""`diff` as it is typed: what a change of a committed spec means, with no host asked."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.specs import APART, PAIR
from tests.cli.terminal import Terminal
from tests.house.promised import broken
from tests.spec.repository import Repository

REAL = APART
for number in (1, 2):
    there = f"h{number}: {{address: 198.51.100.{number}, uri: 'qemu+ssh://root@h{number}.invalid/system'}}"
    REAL = REAL.replace(f"h{number}: {{uri: 'sim:'}}", there)
"""Hosts that nobody could ask."""


@pytest.fixture
def cloud(terminal: Terminal) -> Terminal:
    Repository.new(terminal.folder)
    committed(terminal, REAL)
    return terminal


def committed(cloud: Terminal, text: str) -> str:
    cloud.write(text)
    return Repository(cloud.folder).commit()


def printed(cloud: Terminal, *words: str) -> Any:
    found = json.loads(cloud.type("diff", *words, "--format", "json").out)
    assert broken(found, "diff") == []
    return found


def changes(cloud: Terminal, *words: str) -> dict[str, Any]:
    return {one["address"]: one for one in printed(cloud, *words)["changes"]}


def paths(change: Any) -> dict[str, tuple[str | None, str | None]]:
    return {field["path"]: (field["before"], field["after"]) for field in change["fields"]}


def test_nothing_changes(cloud: Terminal) -> None:
    typed = cloud.type("diff", "--detailed-exitcode")
    assert (typed.code, typed.err) == (0, "")
    assert typed.out.endswith("the working tree\n\nNothing to do.\n")
    assert printed(cloud)["changes"] == []


def test_classes_of_disruption(cloud: Terminal) -> None:
    text = REAL.replace("disk: 4GiB}", "disk: 4GiB}\n  big: {vcpus: 2, memory: 1GiB, disk: 8GiB}")
    text = text.replace("web: {image: blank, flavor: small", "web: {image: blank, flavor: big")
    cloud.write(text.replace("db: {image: blank", "db: {state: stopped, image: blank"))
    found = changes(cloud)
    assert {one: found[one]["disruption"] for one in found} == {"instance.db": "restart", "instance.web": "live"}
    assert "a restart, where it was not started with room for it" in found["instance.web"]["reasons"]
    assert cloud.type("diff").code == 0
    assert cloud.type("diff", "--detailed-exitcode").code == 2


def test_no_address_is_made_up(cloud: Terminal) -> None:
    """db has some address of the subnet, and Git does not know which."""
    cloud.write(REAL + "  new: {image: blank, flavor: small}\n")
    new = changes(cloud)["instance.new"]
    assert (paths(new)["address"], new["hosts"]) == ((None, "in 10.20.0.0/24"), [])
    cloud.write(REAL.replace("10.20.0.0/24", "10.20.8.0/24").replace("10.20.0.11", "10.20.8.11"))
    found = changes(cloud)
    assert paths(found["instance.db"]) == {"address": ("in 10.20.0.0/24", "in 10.20.8.0/24")}
    assert paths(found["instance.web"]) == {"address": ("10.20.0.11", "10.20.8.11")}
    assert {one["disruption"] for address, one in found.items() if address.startswith("instance.")} == {"restart"}


def test_a_new_address_takes_nobodys(cloud: Terminal) -> None:
    """Whatever address db is supposed to have, a newcomer that asks for one disturbs nobody."""
    text = REAL.replace("10.20.0.0/24", "10.20.0.0/29").replace(
        ", networks: [{name: default, address: 10.20.0.11}]", ""
    )
    committed(cloud, text)
    for last in range(2, 7):
        nic = f"networks: [{{name: default, address: 10.20.0.{last}}}]"
        new = f"  new: {{image: blank, flavor: small, {nic}}}\n"
        cloud.write(text.replace("db: {", "db: {metadata: {a: b}, ") + new)
        found = changes(cloud)
        assert found.keys() == {"instance.db", "instance.new"}
        assert found["instance.db"]["disruption"] == "none", last
    assert "10.20.0.6 is written for the first time" in cloud.type("diff").out


def test_what_is_paused_waits(cloud: Terminal) -> None:
    paused = REAL.replace("web: {", "web: {paused: true, metadata: {a: b}, ") + "  new: {image: blank, flavor: small}\n"
    cloud.write(paused.replace("  new: {", "  new: {paused: true, "))
    found = printed(cloud)
    assert {one["address"]: one["why"] for one in found["held"]} == {"instance.new": "paused", "instance.web": "paused"}
    assert (found["changes"], found["exposure"]) == ([], {"added": [], "removed": []})
    cloud.write(paused.replace("  new: {", "  new: {paused: true, ").replace("db: {", "db: {security_groups: [], "))
    assert "new" not in json.dumps(printed(cloud)["exposure"])


def test_another_image_names_no_host(cloud: Terminal) -> None:
    """Which hosts have it already, only they know; the disks are lost for certain."""
    images = "images:\n  newer: {source: 'https://example.org/newer.qcow2', sha256: " + "cd" * 32 + "}\n"
    cloud.write(REAL.replace("images:\n", images).replace("db: {image: blank", "db: {image: newer"))
    found = changes(cloud)
    assert (found["image.newer"]["action"], found["image.newer"]["hosts"]) == ("create", [])
    assert (found["instance.db"]["action"], found["instance.db"]["destroys_data"]) == ("replace", True)
    assert "+ image.newer  sha256:cdcdcdcdcdcd" in cloud.type("diff").out
    local = REAL.replace("'https://example.org/blank.qcow2', sha256: " + "ab" * 32, "'file:blank.qcow2'")
    committed(cloud, local)
    cloud.write(REAL.replace("https://example.org/", "file:"))
    assert changes(cloud) == {}, "only now is it said which file it is"
    cloud.write(local.replace("file:blank", "file:other"))
    fields = [field for one in printed(cloud)["changes"] for field in one["fields"] if field["path"] == "content"]
    assert [field["after"] for field in fields] == [f"file:{cloud.folder}/other.qcow2"]
    assert "Git does not say" in cloud.type("diff").out


def test_a_placement_moves_what_must_move(cloud: Terminal) -> None:
    cloud.write(REAL.replace("placement: {host: h1}", "placement: {host: h2}"))
    (moved,) = changes(cloud).values()
    assert (moved["action"], moved["disruption"], moved["hosts"]) == ("move", "migrate", ["h2", "h1"])
    assert paths(moved)["host"] == ("h1", "h2")
    committed(cloud, REAL.replace(", placement: {host: h1}", ""))
    cloud.write(REAL)
    (bound,) = changes(cloud).values()
    assert (bound["action"], bound["disruption"]) == ("update", "migrate")
    assert (bound["reasons"], paths(bound)) == (["it moves if it is on h2"], {"placement": ("anywhere", "host h1")})
    committed(cloud, REAL)
    cloud.write(REAL.replace(", placement: {host: h1}", ""))
    assert [one["disruption"] for one in changes(cloud).values()] == ["none"]


@pytest.mark.parametrize(
    ("policy", "disruption", "reasons", "note"),
    [
        (
            "anti-affinity",
            "migrate",
            ["it moves if it breaks placement group apart where it is"],
            "what breaks it moves",
        ),
        ("soft-anti-affinity", "none", [], "instances that are there stay"),
    ],
)
def test_joining_a_group_moves_what_breaks_it(
    cloud: Terminal, policy: str, disruption: str, reasons: list[str], note: str
) -> None:
    text = REAL.replace("placement: {host: h1}", "placement: {group: apart}")
    committed(cloud, text.replace(", placement: {group: apart}", "") + groups("affinity"))
    cloud.write(text + groups(policy))
    (joined,) = changes(cloud).values()
    assert (joined["disruption"], joined["reasons"]) == (disruption, reasons)
    assert f"placement group apart is another: {note}" in cloud.type("diff").out


def groups(policy: str) -> str:
    return f"placement_groups: {{apart: {{policy: {policy}}}}}\n"


def test_hosts_come_go_and_are_drained(cloud: Terminal) -> None:
    text = REAL.replace("h1: {", "h1: {state: drained, ").replace(
        "images:", "  h3: {address: 198.51.100.3, uri: 'qemu+ssh://h3.invalid/system'}\nimages:", 1
    )
    cloud.write(text.replace("  db: {image: blank, flavor: small, placement: {host: h1}}\n", ""))
    found = changes(cloud)
    assert (found["host.h1"]["disruption"], found["host.h3"]["action"]) == ("migrate", "create")
    assert paths(found["host.h1"])["state"] == ("active", "drained")


def test_a_rename_is_offered_and_never_assumed(cloud: Terminal) -> None:
    cloud.write(REAL.replace("  db:", "  data:"))
    found = printed(cloud)
    assert found["renames"] == [{"address": "instance.data", "was": "db"}]
    assert {one["address"]: one["action"] for one in found["changes"]} == {
        "instance.data": "create",
        "instance.db": "delete",
    }
    assert "write `was: db` into instances.data" in cloud.type("diff").out
    cloud.write(REAL.replace("  db: {", "  data: {was: db, "))
    (renamed,) = changes(cloud).values()
    assert (renamed["action"], renamed["destroys_data"], printed(cloud)["renames"]) == ("rename", False, [])
    cloud.write(REAL.replace("  db: {image: blank", "  data: {metadata: {a: b}, image: blank"))
    assert printed(cloud)["renames"] == []


def test_a_counted_one_that_was_renamed_is_one_guess(cloud: Terminal) -> None:
    committed(cloud, PAIR + "  web: {image: blank, flavor: small, count: 3}\n")
    cloud.write(PAIR + "  www: {image: blank, flavor: small, count: 3}\n")
    assert printed(cloud)["renames"] == [{"address": "instance.www", "was": "web"}]
    cloud.write(PAIR + "  www: {was: web, image: blank, flavor: small, count: 3}\n")
    found = printed(cloud)
    assert {one["address"]: one["action"] for one in found["changes"]} == {
        f"instance.www-{number}": "rename" for number in (1, 2, 3)
    }, "what is offered does what it says"
    assert not any(one["destroys_data"] for one in found["changes"])


GROUP = "security_groups:\n  web: {ingress: [{protocol: tcp, ports: 80, from: any}]}\n"
EXPECT = "expect: [{deny: {from: internet, to: instance.web}}]\n"


def test_exposure_and_a_broken_expectation(cloud: Terminal) -> None:
    base = committed(cloud, REAL + GROUP + EXPECT)
    opened = REAL.replace("placement: {host: h2}", "placement: {host: h2}, security_groups: [default, web]")
    committed(cloud, opened + GROUP + EXPECT)
    found = printed(cloud, f"{base}..HEAD")
    assert found["exposure"]["added"] == [{"from": ["internet"], "to": ["instance.web"], "services": ["tcp/80"]}]
    assert [one["holds"] for one in found["expectations"]] == [False]
    cloud.write("the working tree is something else: [")
    typed = cloud.type("diff", f"{base}..HEAD")
    assert typed.code == 1
    assert "expect: [{deny" in typed.err, "the line is that of the commit"
    committed(cloud, opened + GROUP)
    cloud.write(opened + GROUP + EXPECT.replace("deny", "allow"))
    assert "newly expected: allow internet → instance.web" in printed(cloud)["notes"]


def test_what_is_refused_is_refused_here(cloud: Terminal) -> None:
    protected = REAL.replace("db: {", "db: {protect: true, ")
    committed(cloud, protected)
    cloud.write(protected.replace("  db: {protect: true, image: blank, flavor: small, placement: {host: h1}}\n", ""))
    typed = cloud.type("diff")
    assert (typed.code, "instance.db is protected and would be deleted" in typed.err) == (1, True)
    cloud.write(REAL.replace("cloud: demo", "cloud: other"))
    assert "the cloud's name changes from demo to other" in cloud.type("diff").err


def test_a_broken_head_shows_its_problems_and_a_broken_base_says_so(cloud: Terminal) -> None:
    good = Repository(cloud.folder).git("rev-parse", "HEAD")
    bad = committed(cloud, REAL.replace("image: blank, flavor: small, placement: {host: h1}", "image: blnk"))
    typed = cloud.type("diff", f"{good}..{bad}")
    assert (typed.code, typed.out) == (1, "")
    assert "blnk" in typed.err
    cloud.write(REAL)
    typed = cloud.type("diff")
    assert (typed.code, f"{bad[:12]}:cloud.yaml:" in typed.err) == (0, True)
    assert "all of it is shown as new" in typed.out
    assert printed(cloud)["spec"] == "unreadable"


def test_a_spec_that_is_new_moved_or_removed(cloud: Terminal) -> None:
    repository = Repository(cloud.folder)
    first = repository.git("rev-parse", "HEAD")
    (cloud.folder / "cloud.yaml").rename(cloud.folder / "new.yaml")
    repository.commit()
    found = printed(cloud, f"{first}..HEAD")
    assert (found["spec"], found["changes"], found["head"]["file"]) == ("moved", [], "new.yaml")
    (cloud.folder / "new.yaml").unlink()
    gone = repository.commit()
    cloud.write(REAL)
    found = printed(cloud)
    assert (found["spec"], {one["action"] for one in found["changes"]}) == ("new", {"create"})
    assert "host.h1" in {one["address"] for one in found["changes"]} or found["changes"]
    removed = cloud.type("diff", f"{first}..{gone}", "--detailed-exitcode")
    assert (removed.code, "what it has made stays as it is" in removed.out) == (2, True)


def test_with_a_snapshot_it_is_a_whole_plan(cloud: Terminal, tmp_path: Path) -> None:
    simulated = APART.replace("small, placement: {host: h1}", "small")
    committed(cloud, simulated)
    live = str(tmp_path / "live.json")
    assert cloud.type("apply", "-y").code == 0
    assert cloud.type("status", "--save", live).code == 0
    committed(
        cloud, simulated + "  new: {image: blank, flavor: small}\n  vast: {image: blank, flavor: small, count: 200}\n"
    )
    cloud.write(REAL)
    typed = cloud.type("diff", "HEAD~..HEAD", "--snapshot", live, "--format", "json")
    plan = json.loads(typed.out)
    assert broken(plan, "plan") == []
    assert plan["placements"]
    assert (bool(plan["unplaced"]), typed.code) == (True, 1)
    signers = tmp_path / "signers"
    signers.write_text("")
    typed = cloud.type("diff", "--snapshot", live, "--allowed-signers", str(signers))
    assert (typed.code, "is not signed" in typed.err) == (1, True)


def test_wrong_words(cloud: Terminal) -> None:
    assert cloud.type("diff", "--format", "xml").code == 64
    assert "there is no commit 'nothing'" in cloud.type("diff", "nothing").err
    assert cloud.type("diff", "--", "--output=x").code == 1


def test_user_data_is_never_shown(cloud: Terminal) -> None:
    text = REAL + "    user_data: |\n      #cloud-config\n      password: swordfish\n"
    text = text.replace("  web: {", "  web:\n    {").replace(
        "    {image: blank, flavor: small, placement: {host: h2}, networks: [{name: default, address: 10.20.0.11}]}",
        "    image: blank\n    flavor: small",
    )
    cloud.write(text)
    for style in ("text", "json"):
        typed = cloud.type("diff", "--format", style)
        assert "sha256:" in typed.out, typed.err
        assert "swordfish" not in typed.out + typed.err
