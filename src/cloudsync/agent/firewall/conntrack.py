"""The only door that runs conntrack: the kernel's table of flows, and the end of some of them."""

import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

from cloudsync.model.problem import HostError
from cloudsync.model.resources import WITH_PORTS

_ENVIRONMENT = {"LC_ALL": "C", "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
_PAIR = re.compile(r"(\w+)=(\S+)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One tracked flow. `reply_source` is who answers: the destination after NAT. `ports` are the first direction's."""

    protocol: int
    source: str
    target: str
    reply_source: str
    reply_target: str
    ports: tuple[int, int] | None = None
    reply_port: int | None = None
    icmp: tuple[int, int, int] | None = None

    @property
    def addresses(self) -> frozenset[str]:
        return frozenset((self.source, self.target, self.reply_source, self.reply_target))


def entries() -> tuple[Entry, ...]:
    """Every IPv4 flow, in one pass. Raise HostError when the table cannot be read."""
    done = _run("-L", "-f", "ipv4")
    if done.returncode:
        raise HostError(f"running connections cannot be listed: {done.stderr.strip()[:200]}", "run the agent as root")
    return parse(done.stdout)


def parse(listing: str) -> tuple[Entry, ...]:
    """The text of `conntrack -L`; lines that are no flow are passed over."""
    found = (_entry(line) for line in listing.splitlines())
    return tuple(entry for entry in found if entry is not None)


def _entry(line: str) -> Entry | None:
    words = line.split()
    pairs = _PAIR.findall(line)
    addresses = [value for key, value in pairs if key in ("src", "dst")]
    if len(addresses) != 4 or len(words) < 2 or not words[1].isdigit():
        return None
    ports = [int(value) for key, value in pairs if key in ("sport", "dport")]
    icmp = [int(value) for key, value in pairs if key in ("type", "code", "id")]
    return Entry(
        protocol=int(words[1]),
        source=addresses[0],
        target=addresses[1],
        reply_source=addresses[2],
        reply_target=addresses[3],
        ports=(ports[0], ports[1]) if len(ports) == 4 else None,
        reply_port=ports[2] if len(ports) == 4 else None,
        icmp=(icmp[0], icmp[1], icmp[2]) if len(icmp) == 6 else None,
    )


def delete(doomed: Iterable[Entry]) -> None:
    """End these flows by their exact tuples, in one process; flows that ended by themselves are no error."""
    commands = "".join(f"{command(entry)}\n" for entry in doomed)
    if commands:
        done = _run("-R", "-", stdin=commands)
        if done.returncode:
            raise HostError(f"denied connections cannot be cut: {done.stderr.strip()[-200:]}", "run the agent as root")


def command(entry: Entry) -> str:
    """conntrack's options for deleting one flow."""
    base = f"-D -f ipv4 -p {entry.protocol} -s {entry.source} -d {entry.target}"
    if entry.icmp:
        kind, code, number = entry.icmp
        return f"{base} --icmp-type {kind} --icmp-code {code} --icmp-id {number}"
    if entry.ports and entry.protocol in WITH_PORTS.values():
        return f"{base} --sport {entry.ports[0]} --dport {entry.ports[1]}"
    return base


def _run(*arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            ["conntrack", *arguments], input=stdin, capture_output=True, text=True, check=False, env=_ENVIRONMENT
        )
    except (FileNotFoundError, PermissionError):
        raise HostError(
            "conntrack is not installed: denied connections cannot be cut", "sudo apt-get install conntrack"
        ) from None
