"""A spec file into a Cloud, or every problem in it with its place. The first line of the pipeline calls it."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cloudsync.model.address import Kind
from cloudsync.model.cloud import Cloud
from cloudsync.model.problem import Place, Problem, SpecError

if TYPE_CHECKING:
    from cloudsync.spec.digests import Digests
    from cloudsync.spec.document import Document
    from cloudsync.spec.draft import Draft
    from cloudsync.spec.files import Folder, Source
    from cloudsync.spec.former import Former

_KINDS = {
    "hosts": Kind.HOST,
    "images": Kind.IMAGE,
    "networks": Kind.NETWORK,
    "keypairs": Kind.KEYPAIR,
    "security_groups": Kind.GROUP,
    "instances": Kind.INSTANCE,
}


def load(path: Path, named: "set[Path] | None" = None) -> Cloud:
    """What the spec at `path` describes. SpecError with all problems, sorted by place, when there is one.

    `named` is filled with the files that it refers to, there or not, also when it has problems: as far as it was read.
    """
    from cloudsync.spec.digests import Digests, cache_path
    from cloudsync.spec.document import read
    from cloudsync.spec.files import Folder

    document, folder = read(path, share=True), Folder.of(path)
    cloud, draft, files = _loaded(document, folder, Digests(cache_path()), path, named)
    return _committed(cloud, folder, [path.resolve(), *files], draft)


def load_from(
    document: "Document",
    source: "Source",
    path: Path,
    digests: "Digests | None" = None,
    former: "Former | None" = None,
) -> "tuple[Cloud, Draft]":
    """What `document`, which is the spec at `path` or once was, describes with the files of `source`. Without `digests`
    no image is opened: what the spec says of it counts."""
    return _loaded(document, source, digests, path, former=former)[:2]


def _loaded(
    document: "Document",
    source: "Source",
    digests: "Digests | None",
    path: Path,
    named: "set[Path] | None" = None,
    former: "Former | None" = None,
) -> "tuple[Cloud, Draft, list[Path]]":
    """With the files that it refers to."""
    from cloudsync.spec.attach import attach, referred
    from cloudsync.spec.expand import expand

    if not document.complete:
        raise _error(document.problem(spot) for spot in document.spots)
    draft, problems = _checked(document, former.draft if former else None)
    if named is not None:
        named.update(referred(draft, source.home))
    attached = attach(draft, source, digests)
    problems += [document.problem(one, draft.tree) for one in attached.found]
    if problems:
        raise _error(problems)
    where = os.path.abspath(path)  # noqa: PTH100 - links are kept: they are what the user named
    digest = attached.digest(document.data)
    return expand(draft, attached, digest, where, _places(document, draft), former), draft, [*attached.files]


def _checked(document: "Document", former: "Draft | None") -> "tuple[Draft, list[Problem]]":
    from cloudsync.spec.checks.every import check
    from cloudsync.spec.draft import draft, too_many
    from cloudsync.spec.meant import clarified

    clear = clarified(document)
    drafted, shape = draft(clear, former)
    problems = [document.problem(spot) for spot in document.spots] + [
        document.problem(one, clear.root) for one in shape
    ]
    many = too_many(drafted)
    if many:
        raise _error([*problems, *(document.problem(one, clear.root) for one in many)])
    return drafted, problems + [document.problem(one, drafted.tree) for one in check(drafted)]


def _error(problems: "Iterable[Problem]") -> SpecError:
    return SpecError(sorted(dict.fromkeys(problems), key=_order))


def _order(problem: Problem) -> tuple[Place, str]:
    return problem.place or Place("", 0, 0), problem.message


def _places(document: "Document", draft: "Draft") -> dict[str, Place]:
    from cloudsync.spec.checks.groups import rules
    from cloudsync.spec.members import members

    places: dict[str, Place] = {}
    for section, kind in _KINDS.items():
        for name, marks in (document.root[section].marks if document.root.get(section) else {}).items():
            place = Place(document.file, marks[0] + 1, marks[1] + 1)
            places[f"{kind.value}.{name}"] = place
            if kind is Kind.INSTANCE and draft.instances[name].count is not None:
                places.update((f"instance.{member}", place) for member in members(name, draft.instances[name]))
    for name, host in draft.hosts.items():
        if host.address:
            places[f"host.{name}/address"] = document.place(("hosts", name, "address"), at_key=True)
    for trail, _, _ in rules(draft):
        places[f"group.{trail[1]}/{trail[2]}/{trail[3]}"] = document.place(trail)
    places.update((f"expect/{index}", document.place(("expect", index))) for index in range(len(draft.header.expect)))
    return places


def _committed(cloud: Cloud, folder: "Folder", files: list[Path], draft: "Draft") -> Cloud:
    if not folder.git:
        return cloud
    from cloudsync.spec.attach import image_files
    from cloudsync.spec.git import commit

    head, dirty = commit(folder.fence, files)
    images = [] if dirty or not head else image_files(draft)
    if images:
        from cloudsync.spec.checkout import differs

        dirty = differs(folder, head, images)
    return replace(cloud, commit=head, dirty=dirty)
