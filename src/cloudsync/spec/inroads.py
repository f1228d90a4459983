"""What a commit that nobody here has looked at would reach on this machine through its hosts' URIs. follow.py asks.

A URI may name a program to run in place of ssh, keys, sockets and other files of the machine that reads it, and may do
without looking at a host's key. One of a simulated host has files written here, and instances placed that run nowhere.
The person's own files say which of those are meant.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, urlsplit

from cloudsync.model.cloud import Host
from cloudsync.spec.finding import Finding
from cloudsync.spec.words import listing, quote

_OURS = {"command", "keyfile", "known_hosts", "known_hosts_verify", "netcat", "no_verify", "path", "pkipath", "socket"}


def inroads(wanted: Mapping[str, Host], known: frozenset[str]) -> Iterator[Finding]:
    """`known` are URIs that the person has written or checked out."""
    for name, host in wanted.items():
        found = [key for key, _ in parse_qsl(urlsplit(host.uri).query, keep_blank_values=True) if key in _OURS]
        if host.uri.startswith("sim:"):
            found.insert(0, "sim:")
        if found and host.uri not in known:
            yield Finding(
                ("hosts", name, "uri"),
                f"the URI of host {quote(name)} says {listing(found, 'and')}, which this machine does not yet know of",
                "a commit may not choose programs, files or simulated hosts here: pull it, so that the files here say "
                "so as well",
                secret="@" in host.uri,
            )
