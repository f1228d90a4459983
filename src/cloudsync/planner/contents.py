"""Image files that nobody opened: whether two versions of a spec mean the same content, as far as Git says, and which
digest that has on the hosts. Pure; supposed.py, grounds.py and pipeline.py ask."""

from collections.abc import Iterator
from dataclasses import replace

from cloudsync.model.cloud import Cloud
from cloudsync.model.snapshot import Snapshot
from cloudsync.model.unopened import is_unopened


def agreed(base: Cloud, head: Cloud) -> Cloud:
    """The base, its image files the very ones of the head where not both say by a digest which they are, and nothing
    says that they are others."""
    found = {name: replace(base.images[name], sha256=head.images[name].sha256) for name in _same(base, head)}
    return replace(base, images={**base.images, **found}) if found else base


def deployed(base: Cloud | None, head: Cloud, snapshot: Snapshot) -> Cloud:
    """The head, its image files the very ones that are on the hosts where nothing says that they are others since the
    base; without a base, all that Git says nothing of."""
    names = _same(base, head) if base else (name for name, one in head.images.items() if is_unopened(one.sha256))
    known = _known(head.name, snapshot)
    found = dict(head.images)
    for name in names:
        before = base.images[name].sha256 if base else ""
        digest = known.get(name) or ("" if is_unopened(before) else before)
        if digest and is_unopened(found[name].sha256):
            found[name] = replace(found[name], sha256=digest)
    return replace(head, images=found)


def unsaid(base: Cloud, head: Cloud) -> Iterator[str]:
    """Images of which it is not known whether their content is another, and might well be."""
    for name, image in sorted(head.images.items()):
        was = base.images.get(name)
        if was is None or not is_unopened(image.sha256) or _tracked(base, head, name) == 2:
            continue
        if was.source != image.source or (is_unopened(was.sha256) and _tracked(base, head, name)):
            yield name


def _same(base: Cloud, head: Cloud) -> Iterator[str]:
    """Of images in both that are not both known by a digest."""
    for name, was in base.images.items():
        now = head.images.get(name)
        if now is None or not (is_unopened(was.sha256) or is_unopened(now.sha256)):
            continue
        if _tracked(base, head, name) == 2:
            same = base.image_blobs[name] == head.image_blobs[name]
        else:
            same = was.source == now.source
        if same:
            yield name


def _tracked(base: Cloud, head: Cloud, name: str) -> int:
    """In how many of the two Git has the file."""
    return (name in base.image_blobs) + (name in head.image_blobs)


def _known(cloud: str, snapshot: Snapshot) -> dict[str, str]:
    """Digests by the image's name, as the document says that was written last."""
    documents = [host.document for host in snapshot.hosts.values() if host.document and host.document.cloud == cloud]
    documents.sort(key=lambda one: one.applied.at)
    return {name: image.sha256 for one in documents for name, image in one.images.items()}
