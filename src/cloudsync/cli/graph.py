"""`graph`: hosts, networks, groups, instances and who may talk to whom."""

from pathlib import Path

from cloudsync.cli.exits import Exit
from cloudsync.cli.formats import one_of
from cloudsync.cli.say import out, say
from cloudsync.hosts.fleet import Fleet
from cloudsync.model.problem import CloudsyncError
from cloudsync.reach.picture import Picture, View, picture
from cloudsync.reach.wanted import of_cloud
from cloudsync.spec.files import unlinked


def run(path: Path, style: str, to: Path | None) -> int:
    """Draw the spec. Hosts only say where instances are and what addresses they have; one that is down says nothing."""
    from cloudsync.spec.load import load

    one_of(style, "svg", "dot", "mermaid")
    if to is not None and unlinked(to) == unlinked(path):
        raise CloudsyncError(f"{to} is the spec itself: it is not overwritten", "name another file with --out")
    cloud = load(path)
    with Fleet.open(cloud) as fleet:
        documents = [host.document for host in fleet.observe().hosts.values() if host.reachable and host.document]
    there = {name: (one, document.host) for document in documents for name, one in document.instances.items()}
    addresses = {name: tuple(nic.address for nic in one.nics) for name, (one, _) in there.items()}
    homes = {name: host for name, (_, host) in there.items() if name in cloud.instances}
    now = View(scene=of_cloud(cloud, addresses), groups=cloud.groups, hosts=cloud.hosts, homes=homes)
    found = picture(cloud.name, now, now)
    if found.untold:
        say(f"warning: {found.untold:,} pairs of instances are too many to be compared: their arrows are left out")
    text = _drawn(found, style)
    if to is None:
        out(text)
    else:
        _write(to, text)
    return Exit.DONE


def _drawn(found: Picture, style: str) -> str:
    if style == "dot":
        from cloudsync.render.graph_dot import dot

        return dot(found)
    if style == "mermaid":
        from cloudsync.render.graph_mermaid import mermaid

        return mermaid(found)
    from cloudsync.render.graph_svg import svg

    return svg(found)


def _write(to: Path, text: str) -> None:
    try:
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CloudsyncError(f"{to} cannot be written: {error.strerror}", "name another file with --out") from error
    say(f"drawn in {to}")
