"""A command line -> the commands that typer makes for it: making all thirty takes longer than many a command runs.

`main` calls it. Where it is not plain which one is meant, all of them are there.
"""

from collections.abc import Sequence
from copy import copy

import typer
from typer.models import CommandInfo


def narrowed(app: typer.Typer, words: Sequence[str]) -> typer.Typer:
    """`app`, or what it is with no command but the typed one."""
    rest = words[2:] if words[:1] in (["-f"], ["--file"]) else words
    name = rest[0] if rest else ""
    unnamed = [group.typer_instance for group in app.registered_groups if not isinstance(group.name, str)]
    for group in filter(None, (app, *unnamed)):
        found = [one for one in group.registered_commands if name and name == _name(one)]
        if found:
            alone = copy(app)
            alone.registered_commands, alone.registered_groups = found, []
            return alone
    return app


def _name(command: CommandInfo) -> str:
    return command.name or (command.callback.__name__ if command.callback else "")
