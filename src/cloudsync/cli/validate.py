"""`validate` and `schema`: the spec alone, no host touched."""

import json
from dataclasses import replace
from pathlib import Path

from cloudsync.cli.exits import Exit
from cloudsync.cli.expectations import problems
from cloudsync.cli.formats import one_of
from cloudsync.cli.say import colour, out, say
from cloudsync.model.cloud import Cloud
from cloudsync.model.problem import Problem, Severity, SpecError
from cloudsync.render import problems as render


def run(path: Path, style: str) -> int:
    """Print every problem; 1 when there is one that is more than a warning."""
    from cloudsync.spec.load import load

    one_of(style, "text", "json", "github")
    found: tuple[Problem, ...] = ()
    try:
        cloud = load(path)
        found = (*_broken(cloud), *_unread(cloud, path))
    except SpecError as error:
        found = error.problems
    if style == "json":
        out(render.as_json(found))
    elif style == "github":
        out(render.github(_in_repository(found, path)) if found else "")
    elif found:
        out(render.text(found, colour()))
    else:
        say(f"{path}: no problems")
    return Exit.FAILED if any(one.severity is Severity.ERROR for one in found) else Exit.DONE


def _in_repository(found: tuple[Problem, ...], path: Path) -> list[Problem]:
    """With the spec's path as a forge has it: from the top of the repository, wherever the command was typed."""
    from cloudsync.spec.files import Folder, unlinked

    folder = Folder.of(path)
    called = str(unlinked(path).relative_to(folder.fence)) if folder.git else str(path)
    return [replace(one, place=replace(one.place, file=called)) if one.place else one for one in found]


def _broken(cloud: Cloud) -> list[Problem]:
    """Expectations that fail whatever addresses instances get."""
    if not cloud.expectations:
        return []
    from cloudsync.reach.expect import check
    from cloudsync.reach.wanted import of_cloud

    return problems(check(cloud, of_cloud(cloud), decided=False))


def _unread(cloud: Cloud, path: Path) -> list[Problem]:
    """Warnings of user-data that cloud-init would pass over."""
    from cloudsync.spec.cloudinit import unread
    from cloudsync.spec.document import read
    from cloudsync.spec.finding import Finding
    from cloudsync.spec.words import quote

    given = {one.base: one.user_data for one in cloud.instances.values() if one.user_data}
    wrong = {data: unread(data) for data in given.values()}
    found = {base: wrong[data] for base, data in given.items()}
    document = read(path) if any(found.values()) else None
    problems = []
    for base, said in found.items():
        if said and document:
            message = f"the user-data of {quote(base)} {said[0]}: cloud-init ignores all of it"
            one = Finding(("instances", base, "user_data"), message, said[1], at_key=True)
            problems.append(replace(document.problem(one), severity=Severity.WARNING))
    return problems


def print_schema() -> None:
    """Print the spec's JSON Schema."""
    from cloudsync.spec.schema import schema

    out(json.dumps(schema(), indent=2))
