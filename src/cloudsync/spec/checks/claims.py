"""Expectations: what is allowed or denied between ends that exist."""

from collections.abc import Iterator

from cloudsync.model.resources import WITH_PORTS
from cloudsync.spec.checks.references import known, missing
from cloudsync.spec.draft import Draft
from cloudsync.spec.finding import Finding, Trail
from cloudsync.spec.models import Claim
from cloudsync.spec.rules import RuleError, remote
from cloudsync.spec.words import quote

_SECTIONS = {"group": "security_groups", "network": "networks", "instance": "instances"}


def one_of_two(draft: Draft) -> Iterator[Finding]:
    for index, expectation in enumerate(draft.header.expect):
        if (expectation.allow is None) == (expectation.deny is None):
            message = "an expectation is either allow or deny"
            yield Finding(("expect", index), message, "write  - {deny: {from: internet, to: group.NAME}}")


def ends(draft: Draft) -> Iterator[Finding]:
    names = {kind: known(draft, section) for kind, section in _SECTIONS.items()}
    for trail, claim in _claims(draft):
        for key, written in (("from", claim.from_), ("to", claim.to)):
            yield from _end((*trail, key), written, names)
        if claim.port is not None and claim.protocol not in WITH_PORTS:
            yield Finding((*trail, "port"), "a port needs a protocol that has ports", "add  protocol: tcp")


def _claims(draft: Draft) -> Iterator[tuple[Trail, Claim]]:
    for index, expectation in enumerate(draft.header.expect):
        for key, claim in (("allow", expectation.allow), ("deny", expectation.deny)):
            if claim is not None:
                yield ("expect", index, key), claim


def _end(trail: Trail, written: str, names: dict[str, frozenset[str]]) -> Iterator[Finding]:
    kind, dot, name = written.partition(".")
    if written == "internet":
        return
    if dot and kind in names:
        yield from missing(_SECTIONS[kind], name, names[kind], trail)
        return
    try:
        if written != "self":
            remote(written)
            return
    except RuleError as error:
        if "." in written or ":" in written:
            yield Finding(trail, str(error), error.hint)
            return
    known_ends = "internet, an address, a CIDR, group.NAME, network.NAME or instance.NAME"
    yield Finding(trail, f"{quote(written)} is not an end of a connection", f"use {known_ends}")


CHECKS = (one_of_two, ends)
