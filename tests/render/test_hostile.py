"""Texts that others wrote, in every place of a plan, a status and an error: none acts on a terminal or makes a line."""

import contextlib
import io
from dataclasses import replace

import pytest

from cloudsync.apply.events import Failed, Finished, Progressed, Skipped, Started
from cloudsync.cli.say import fail, say
from cloudsync.model.cloud import Cloud, Expectation
from cloudsync.model.document import Applied, HostDocument
from cloudsync.model.plan import (
    Action,
    Change,
    Checked,
    Disruption,
    Exposed,
    Exposure,
    Field,
    HostSummary,
    Placement,
    Plan,
    Unplaced,
)
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.resources import Instance, Nic, Power
from cloudsync.model.snapshot import Boot, Drift, HostState, HostStatus, Machine, Snapshot
from cloudsync.model.step import DeleteImage
from cloudsync.render import plan_text, status
from cloudsync.render.progress import Screen
from cloudsync.render.table import table

NASTY = "a\x1b[2J\r\n + fake\u202e\x9b2J"


def plan(word: str) -> Plan:
    def change(kind: str, action: Action) -> Change:
        fields = (Field(path=word, before=word, after=word), Field(path="rule", before=None, after=word))
        address = f"{kind}.{word}"
        return Change(address=address, action=action, fields=fields, reasons=(word,), hosts=(word,))

    exposed = Exposed(sources=(word,), targets=(word,), services=(word,))
    expectation = Expectation(key=word, allow=True, source=word, target=word)
    kinds = ("instance", "group", "image", "keypair", "network")
    return Plan(
        cloud="demo",
        hosts={"h1": HostSummary(status="ready"), f"h2{word}": HostSummary(status=f"unreachable{word}")},
        drift=(Drift(address=f"group.{word}", host=word, message=word, remedy=word),),
        changes=(
            *(change(kind, action) for kind in kinds for action in (Action.CREATE, Action.UPDATE, Action.DELETE)),
            replace(change("instance", Action.REPLACE), disruption=Disruption.DESTROYS_DATA),
        ),
        placements=(Placement(instance=word, host=word, runner_up=word, refusals={word: word}),),
        unplaced=(Unplaced(instance=word, refusals={word: word}), Unplaced(instance=word, host=word)),
        exposure=Exposure(added=(exposed,), removed=(exposed,)),
        expectations=(Checked(expectation=expectation, holds=False, because=word),),
        warnings=(word,),
    )


def snapshot(word: str) -> Snapshot:
    nic = Nic(network="default", address=f"10.20.0.9{word}", mac="", tap="")
    web = Instance(
        name=f"web{word}",
        uuid="u",
        incarnation=0,
        host="h1",
        image="",
        image_name=word,
        flavor=word,
        vcpus=1,
        memory=1,
        disk=1,
        nics=(nic,),
        groups=(word,),
    )
    machine = Machine(uuid="u", name="", cloud="", image="", vcpus=1, memory=1, disk=1, nics=(), power=Power.RUNNING)
    document = HostDocument(
        cloud="demo", host="h1", applied=Applied(commit=word, by=word, at=word), instances={web.name: web}
    )
    drift = (Drift(address=f"group.{word}", host="h1", message=word),)
    boots = {"u": Boot(uuid="u", stage=word, failures=(word,))}
    ready = HostState(
        name="h1", status=HostStatus.READY, document=document, machines={"u": machine}, drift=drift, boots=boots
    )
    lost = HostState(name="h2", status=HostStatus.UNREACHABLE, reason=word)
    return Snapshot(hosts={"h1": ready, "h2": lost})


def clean(shown: str) -> bool:
    return all(char == "\n" or char.isprintable() for char in shown)


def test_a_plan() -> None:
    shown = plan_text.text(plan(NASTY), colour=False)
    assert clean(shown)
    assert shown.count("\n") == plan_text.text(plan("a"), colour=False).count("\n")


def test_a_status() -> None:
    cloud = Cloud(name="demo", digest="", path="")
    shown = status.text(cloud, snapshot(NASTY))
    assert clean(shown)
    assert shown.count("\n") == status.text(cloud, snapshot("a")).count("\n")


@pytest.mark.parametrize("live", [False, True])
def test_the_progress_of_an_apply(live: bool) -> None:
    """On a terminal Rich draws; what others wrote is no markup of it either."""

    class Tty(io.StringIO):
        def isatty(self) -> bool:
            return live

    def shown(word: str) -> str:
        step = DeleteImage(id="1", host=f"h{word}", address=f"image.{word}", sha256="")
        others = [replace(step, id=str(at)) for at in (2, 3)]
        events = (
            Started(step),
            Progressed(step, f"[link=file:///x]{word}"),
            Finished(step),
            Failed(others[0], word, word),
            Skipped(others[1], word),
        )
        with contextlib.redirect_stderr(Tty()) as err, Screen(Plan(cloud="demo", steps=(step, *others))) as screen:
            for event in events:
                screen.seen(event)
        return err.getvalue()

    said = shown(NASTY)
    assert "\x1b[2J" not in said
    assert "\x9b" not in said
    assert "\u202e" not in said
    assert "fake" in said
    assert "\\x1b[2J" in said
    if not live:
        assert clean(said)
        assert said.count("\n") == shown("a").count("\n")


def test_columns_are_as_wide_as_what_is_shown() -> None:
    assert table(("A", "B"), [("\x1b", "x"), ("yy", "z")]) == "A     B\n\\x1b  x\nyy    z"


def spoken(error: CloudsyncError | str) -> str:
    with contextlib.redirect_stderr(io.StringIO()) as err:
        fail(error) if isinstance(error, CloudsyncError) else say(error)
    return err.getvalue()


def test_talk() -> None:
    assert spoken("one\ntwo") == "one\ntwo\n"
    assert spoken("a\x1b[2J") == "a\\x1b[2J\n"


@pytest.mark.parametrize("said", ["no host\n  h1: down", "no host\nh1: down"])
def test_an_error_of_several_lines_is_one_error(said: str) -> None:
    assert spoken(CloudsyncError(said, "mend\nit")) == "error: no host\n  h1: down\nhint: mend\n  it\n"
