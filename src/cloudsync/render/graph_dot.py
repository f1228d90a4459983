"""A Picture in Graphviz's language, for those who have `dot`."""

from collections.abc import Iterable, Iterator

from cloudsync.reach.picture import Picture
from cloudsync.render.names import listed, titled
from cloudsync.spec.words import printable


def dot(picture: Picture) -> str:
    """Networks are clusters, hosts boxes; a flow between several on both sides goes by a point."""
    return "\n".join(("digraph cloud {", *(f"  {line}" for line in _lines(picture)), "}\n"))


def _lines(picture: Picture) -> Iterator[str]:
    yield f"label={_quoted(f'who may talk to whom in {picture.cloud}')}; rankdir=LR; node [shape=box];"
    for node in picture.outside:
        yield f"{node.id} [label={_quoted(listed(node.names))}, shape=ellipse];"
    for number, (name, subnet) in enumerate(picture.networks.items()):
        yield f"subgraph cluster_{number} {{ label={_quoted(f'network.{name} {subnet}')};"
        yield from (f"  {node.id} [label={_quoted(titled(node))}];" for node in picture.inside(name))
        yield "}"
    for number, flow in enumerate(picture.flows):
        words = f"label={_quoted(', '.join(flow.services))}"
        if len(flow.sources) > 1 and len(flow.targets) > 1:
            yield f"f{number} [shape=point, x{words}];"
            yield from (f"{source} -> f{number} [dir=none];" for source in flow.sources)
            yield from (f"f{number} -> {target};" for target in flow.targets)
        else:
            yield from (f"{one} -> {other} [{words}];" for one in flow.sources for other in flow.targets)
    for number, host in enumerate(picture.hosts):
        yield f"h{number} [label={_quoted(f'host.{host}')}, shape=box3d];"
        on = [node for node in picture.nodes if host in node.hosts]
        yield from (f"{node.id} -> h{number} [style=dotted, dir=none];" for node in on)


def _quoted(text: str) -> str:
    lines: Iterable[str] = (printable(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n"))
    return '"' + "\\n".join(lines) + '"'
