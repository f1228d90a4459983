"""A Picture in Graphviz's language, for those who have `dot`."""

from collections.abc import Iterable, Iterator

from cloudsync.reach.picture import Picture
from cloudsync.render.graph_svg import COLOURS
from cloudsync.render.names import drawn_hosts, listed, stacked, titled
from cloudsync.spec.words import printable

FONTS = 'fontname="sans-serif"; node [shape=box, fontname="sans-serif", fontsize=12]; edge [arrowsize=0.7];'


def dot(picture: Picture) -> str:
    """Networks are clusters, hosts boxes. What may pass is a node without a frame between who sends and who receives:
    Graphviz lays nodes apart from one another, but not what stands at lines."""
    return "\n".join(("digraph cloud {", *(f"  {line}" for line in _lines(picture)), "}\n"))


def _lines(picture: Picture) -> Iterator[str]:
    yield f"label={_quoted(f'who may talk to whom in {picture.cloud}')}; rankdir=LR; nodesep=0.3; {FONTS}"
    for node in picture.outside:
        yield f"{node.id} [label={_quoted(listed(node.names))}, shape=ellipse];"
    for number, (name, subnet) in enumerate(picture.networks.items()):
        yield f"subgraph cluster_{number} {{ label={_quoted(f'network.{name} {subnet}')};"
        yield from (f"  {node.id} [label={_quoted(titled(node, picture))}];" for node in picture.inside(name))
        yield "}"
    for number, flow in enumerate(picture.flows):
        colour = f'color="{COLOURS[number % len(COLOURS)]}"'
        yield f"f{number} [label={_quoted(stacked(flow.services))}, shape=plaintext, fontsize=11, margin=0.05];"
        yield from (f"{source} -> f{number} [dir=none, {colour}];" for source in flow.sources)
        yield from (f"f{number} -> {target} [{colour}];" for target in flow.targets)
    for number, host in enumerate(drawn_hosts(picture)):
        yield f"h{number} [label={_quoted(f'host.{host}')}, shape=box3d];"
        on = [node for node in picture.nodes if host in node.hosts]
        yield from (f"{node.id} -> h{number} [style=dotted, dir=none];" for node in on)


def _quoted(text: str) -> str:
    lines: Iterable[str] = (printable(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n"))
    return '"' + "\\n".join(lines) + '"'
