"""`doctor --fix` and `host setup`: run the commands that were shown for this machine, after asking."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence

from cloudsync.cli.say import say
from cloudsync.model.checkup import Check, Verdict
from cloudsync.model.cloud import Cloud
from cloudsync.model.problem import CloudsyncError
from cloudsync.spec.words import count

_ENVIRONMENT = dict(os.environ) | {"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}


def mend(cloud: Cloud, hosts: Mapping[str, Sequence[Check]], yes: bool) -> bool:
    """Whether anything was run. Raise CloudsyncError at the first command that fails, or when this is not root."""
    for name in sorted(hosts.keys() - here(cloud, hosts)):
        if commands(hosts[name]):
            say(f"host.{name} is another machine: run its commands there")
    return carry_out(due(cloud, hosts), yes, "sudo cloudsync doctor --fix")


def here(cloud: Cloud, hosts: Iterable[str]) -> frozenset[str]:
    """Those of them that are this machine."""
    from cloudsync.spec.uri import Reach, reach

    return frozenset(name for name in hosts if reach(cloud.hosts[name].uri) is Reach.LOCAL)


def due(cloud: Cloud, hosts: Mapping[str, Sequence[Check]]) -> tuple[str, ...]:
    """What is to be run on this machine."""
    ours = here(cloud, hosts)
    return tuple(dict.fromkeys(line for name in hosts if name in ours for line in commands(hosts[name])))


def carry_out(wanted: Sequence[str], yes: bool, as_root: str) -> bool:
    """Whether they were run. `as_root` is the command that may."""
    if not wanted or not _agreed(wanted, yes):
        return False
    if os.geteuid() != 0:
        raise CloudsyncError("these commands need root", as_root)
    for done, line in enumerate(wanted):
        _run(line, done, len(wanted))
    return True


def commands(checks: Sequence[Check]) -> tuple[str, ...]:
    """What would end the problems, in order; warnings are left to the reader."""
    lines = (line for check in checks if check.verdict is Verdict.PROBLEM for line in check.fix)
    return tuple(dict.fromkeys(lines))


def _agreed(wanted: Sequence[str], yes: bool) -> bool:
    say("\n".join(["To be run on this machine, as root:", *(f"  {line}" for line in wanted)]))
    if yes:
        return True
    if not sys.stdin.isatty():
        raise CloudsyncError("nobody is there to ask: standard input is not a terminal", "add -y")
    sys.stderr.write("Run them? Only `yes` is taken for yes: ")
    sys.stderr.flush()
    agreed = sys.stdin.readline().strip() == "yes"
    if not agreed:
        say("nothing was run")
    return agreed


def _run(line: str, done: int, of: int) -> None:
    """Without a shell; what it says goes where talk goes."""
    say(f"+ {line}")
    try:
        code = subprocess.run(shlex.split(line), check=False, stdout=sys.stderr, env=_ENVIRONMENT).returncode
    except OSError as error:
        raise CloudsyncError(f"{line}: {error.strerror}", "run it by hand to see more") from error
    if code:
        told = f"of {count(of, 'command')} {done} ended well before it, and {of - done - 1} after it were not run"
        raise CloudsyncError(f"{line}: it ended with code {code}", told)
