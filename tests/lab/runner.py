"""Parts of the agent in a namespace, in a process of their own that `standins` starts.

One JSON object a line in, one out. MODULE:NAME is called with RUN, a folder, and returns a Part.
"""

import importlib
import json
import os
from pathlib import Path
from typing import IO, Any

from cloudsync.agent.dnsmasq import Dnsmasq
from cloudsync.agent.firewall import Firewall, remove
from cloudsync.agent.links import Fabric, Floating, Guards, Links
from cloudsync.agent.part import Judge, Part
from cloudsync.model import wire
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from cloudsync.reach.question import Question
from tests.lab.namespace import Namespace


def main(namespace: str, streams: tuple[int, int], run: Path, metadata_port: int, more: tuple[str, ...]) -> None:
    """`streams` are descriptors: to read from, and to write to."""
    Namespace(namespace).become()
    with os.fdopen(streams[0]) as asked, os.fdopen(streams[1], "w") as said:
        _serve(asked, said, run, metadata_port, more)


def _serve(asked: IO[str], said: IO[str], run: Path, metadata_port: int, more: tuple[str, ...]) -> None:
    firewall = Firewall(metadata_port)
    parts: list[Part] = [Guards(), firewall, Links(firewall.loaded), Fabric(), Floating(), Dnsmasq(run)]
    for name in more:
        module, _, attribute = name.partition(":")
        parts.append(getattr(importlib.import_module(module), attribute)(run))
    for line in asked:
        print(json.dumps(_answer(parts, json.loads(line))), file=said, flush=True)
    for part in parts:
        part.close()


def _answer(parts: list[Part], request: dict[str, Any]) -> dict[str, Any]:
    try:
        if request["do"] == "remove":
            remove()
            return {}
        document = wire.load(HostDocument, json.dumps(request["document"]))
        if request["do"] == "rulings":
            asked = wire.load(Question, json.dumps(request["asked"]))
            found = [one for part in parts if isinstance(part, Judge) for one in part.rulings(document, asked)]
            return {"rulings": json.loads(wire.dump(found))}
        chosen = [part for part in parts if request["only"] in (None, part.name)]
        if request["do"] == "apply":
            for part in chosen:
                part.apply(document)
            return {}
        drifts = [drift for part in chosen for drift in part.drift(document)]
        return {"drift": [[one.address, one.host, one.message] for one in drifts]}
    except HostError as problem:
        return {"error": problem.message, "hint": problem.hint}
