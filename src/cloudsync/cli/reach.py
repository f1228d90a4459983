"""`reach FROM TO [PROTO/PORT]`: may it connect, and which rule says so."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from cloudsync.cli.exits import Exit
from cloudsync.cli.formats import one_of
from cloudsync.cli.formats import service as in_words
from cloudsync.cli.say import colour, out, say
from cloudsync.model.cloud import Cloud
from cloudsync.reach.ask import Answer, ask
from cloudsync.reach.service import Service
from cloudsync.reach.wanted import of_cloud

if TYPE_CHECKING:
    from cloudsync.model.snapshot import Snapshot


def run(path: Path, ends: tuple[str, str], service: str | None, from_kernel: bool, style: str) -> int:
    """0 when every pair that was asked about is allowed, else 5."""
    from cloudsync.spec.load import load

    one_of(style, "text", "json")
    asked = in_words(service)
    cloud = load(path)
    answer = _live(cloud, ends, asked) if from_kernel else ask(cloud, of_cloud(cloud), *ends, asked)
    show(answer, style)
    return Exit.DONE if answer.yes else Exit.NO


def _live(cloud: Cloud, ends: tuple[str, str], asked: Service) -> Answer:
    """Hosts that cannot be used have no say, and are named."""
    from cloudsync.hosts.fleet import Fleet
    from cloudsync.pipeline import observe
    from cloudsync.reach.live import live
    from cloudsync.scheduler.homes import out_of_reach

    with Fleet.open(cloud) as fleet:
        snapshot = observe(fleet)
        for host in snapshot.hosts.values():
            if not host.reachable:
                say(f"warning: host.{host.name} is {host.status.value}: its instances are left out ({host.reason})")
        there = {name: host.document for name, host in snapshot.hosts.items() if host.reachable and host.document}
        away = {home.name: f"host.{_state(snapshot, home.host)}" for home in out_of_reach(snapshot.hosts)}
        return live(cloud, there, ends, asked, lambda name, question: fleet.drivers[name].rulings(question), away)


def _state(snapshot: "Snapshot", host: str) -> str:
    """The reason has been said."""
    return f"{host}, which is {snapshot.hosts[host].status.value if host in snapshot.hosts else 'not in the spec'}"


def show(answer: Answer, style: str) -> None:
    """Print it on stdout."""
    if style == "json":
        from cloudsync.render.reach_json import document

        if answer.note:
            say(answer.note)
        out(json.dumps(document(answer), indent=2))
    else:
        from cloudsync.render.reach_text import text

        out(text(answer, colour()))
