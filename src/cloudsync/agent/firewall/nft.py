"""The only door that runs nft: text in, JSON out, for our tables by name.

A newer nft's tables can make an older nft abort: only `listing` and `glance`, which nothing of ours depends on, are
about others'.
"""

import os
import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace
from subprocess import PIPE

from cloudsync.agent.firewall import elements, genid
from cloudsync.agent.firewall.read import read_ours, read_table
from cloudsync.agent.firewall.ruleset import FAMILIES, TABLE, Ruleset, Table
from cloudsync.model.problem import HostError

_ENVIRONMENT = {"LC_ALL": "C", "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}


def read() -> Ruleset:
    """What the kernel holds of ours. Raise HostError when nft cannot say."""
    tables = {family: table for family in FAMILIES if (table := _table(family)) is not None}
    return Ruleset(tables)


def glance() -> tuple[int, Ruleset] | None:
    """The same at half the cost, and the generation it is of: elements straight from the kernel, rules listed without.

    None where that does not work, as when nft fails at somebody else's table, or somebody commits meanwhile. Lists that
    stand in rules may be cut short: ours have none.
    """
    try:
        with genid.opened() as netlink:
            before = genid.asked(netlink)
            found = {family: _swiftly(family, netlink) for family in FAMILIES}
            if before is None or genid.asked(netlink) != before:
                return None
    except (OSError, HostError, ValueError, KeyError, TypeError, struct.error):
        return None
    return before, Ruleset({family: table for family, table in found.items() if table is not None})


def _swiftly(family: str, netlink: elements.Netlink) -> Table | None:
    table = read_ours(_listed(_run("-j", "-n", "-t", "list", "ruleset", family)))
    if table is None:
        return None
    return replace(table, containers=elements.filled(family, table.containers, netlink))


def commit(script: str, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Run `script` as one transaction: all of it or, with a HostError, nothing. `meanwhile` is called while nft, a
    process of its own, is at work."""
    _take("-f", "-", script=script, meanwhile=meanwhile)


def check(script: str) -> None:
    """HostError when `script` would be refused; nothing is changed."""
    _take("--check", "-f", "-", script=script)


def _take(*arguments: str, script: str, meanwhile: Callable[[], None] = lambda: None) -> None:
    done = _run(*arguments, stdin=script, meanwhile=meanwhile)
    if done.returncode:
        raise HostError(
            f"nft refused the firewall: {_first(done.stderr)}",
            "nft 1.0.6 or newer and a kernel with nf_tables are needed",
        )


def delete_tables() -> None:
    """Remove our tables if they are there."""
    for family in FAMILIES:
        commit(f"add table {family} {TABLE}\ndelete table {family} {TABLE}\n")


def listing(*what: str) -> str:
    """The JSON of `nft list WHAT`, sets without their elements. Raise HostError when nft cannot say."""
    return _listed(_run("-j", "-t", "list", *what))


def _listed(done: "subprocess.CompletedProcess[str]") -> str:
    if done.returncode:
        what = " ".join(done.args[done.args.index("list") + 1 :])
        raise HostError(f"nft cannot list {what}: {_first(done.stderr)}", "the agent must run as root")
    return done.stdout


def _table(family: str) -> Table | None:
    done = _run("-j", "-n", "list", "table", family, TABLE)
    if done.returncode == 0:
        try:
            return read_table(done.stdout)
        except (ValueError, KeyError, TypeError) as problem:
            raise HostError(f"nft's listing of table {family} {TABLE} cannot be read: {problem}") from None
    if "No such file or directory" in done.stderr:
        return None
    raise HostError(f"nft cannot list table {family} {TABLE}: {_first(done.stderr)}", "the agent must run as root")


def _run(
    *arguments: str, stdin: str = "", meanwhile: Callable[[], None] = lambda: None
) -> "subprocess.CompletedProcess[str]":
    """From memory, not by a pipe: nobody has to keep feeding a long script to nft."""
    with os.fdopen(os.memfd_create("nft"), "w+b") as script:
        script.write(stdin.encode())
        script.seek(0)
        try:
            process = subprocess.Popen(["nft", *arguments], stdin=script, stdout=PIPE, stderr=PIPE, env=_ENVIRONMENT)
        except (FileNotFoundError, PermissionError):
            raise HostError(
                "nft is not installed: instances cannot be protected", "sudo apt-get install nftables"
            ) from None
    with process:
        meanwhile()
        said, complained = (text.decode() for text in process.communicate())
    return subprocess.CompletedProcess(process.args, process.returncode, said, complained)


def _first(text: str) -> str:
    """nft's first line of complaint, without the script's text that follows it."""
    lines = [line for line in text.splitlines() if "rror" in line] or text.splitlines() or ["no reason given"]
    return lines[0][:300]
