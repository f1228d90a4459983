"""The door to other programs' rules as the kernel holds them: nft, and iptables where its rules are. Reads only.

iptables-legacy is asked only about tables that are loaded already: asking about another one would load it.
"""

import os
import shutil
import subprocess
from pathlib import Path

from cloudsync.agent.firewall import nft
from cloudsync.agent.neighbours import iptables, nftables
from cloudsync.agent.neighbours.foreign import Table, Tool
from cloudsync.agent.neighbours.remedy import PROGRAMS
from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import CloudsyncError

_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
_LEGACY = Path("/proc/thread-self/net/ip_tables_names")


@dataclass(frozen=True, slots=True)
class View:
    """`unread` says what could not be read and why, one line each."""

    tables: tuple[Table, ...]
    unread: tuple[str, ...] = ()


NOTHING = View(())


def programs() -> frozenset[str]:
    """Those of PROGRAMS that this host has."""
    return frozenset(name for name in PROGRAMS if _has(name))


def legacy() -> str:
    """The tables that iptables-legacy has loaded in this network namespace, a name a line."""
    try:
        return _LEGACY.read_text()
    except OSError:
        return ""


def nft_view() -> View:
    """One call of nft where nobody else has chains, else two; iptables-nft-save for what nft cannot show."""
    try:
        if not nftables.foreign_bases(nft.listing("chains")):
            return View(())
        return _told(nftables.read_tables(nft.listing("ruleset")))
    except CloudsyncError as error:
        return View((), (error.message,))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return View((), (f"nft's listing cannot be read ({type(error).__name__})",))


def _told(tables: tuple[Table, ...]) -> View:
    """Matches of iptables' own are hidden from nft: its tables are taken as iptables tells them, where it can."""
    if not any(table.tool is Tool.IPTABLES_NFT and _opaque(table) for table in tables):
        return View(tables)
    saved = {table.name: table for table in iptables.read_tables(_saved(Tool.IPTABLES_NFT), Tool.IPTABLES_NFT)}
    return View(tuple(saved.get(table.name, table) if table.tool is Tool.IPTABLES_NFT else table for table in tables))


def _opaque(table: Table) -> bool:
    return any(rule.opaque for chain in table.chains.values() for rule in chain.rules)


def legacy_view() -> View:
    """Of the tables that are loaded."""
    names = legacy().split()
    if not names:
        return NOTHING
    if not _has("iptables-legacy-save"):
        return View((), (f"iptables-legacy has {', '.join(names)} loaded, but the program is not here to ask",))
    return View(iptables.read_tables(_saved(Tool.IPTABLES_LEGACY), Tool.IPTABLES_LEGACY))


def _saved(tool: Tool) -> str:
    """Empty when the program is missing or fails."""
    if not _has(f"{tool.value}-save"):
        return ""
    environment = {"LC_ALL": "C", "PATH": _PATH}
    done = subprocess.run([f"{tool.value}-save"], capture_output=True, text=True, check=False, env=environment)
    return done.stdout if done.returncode == 0 else ""


def _has(name: str) -> bool:
    return shutil.which(name, path=_PATH) is not None
