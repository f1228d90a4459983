"""A Picture in Mermaid's language, which forges draw in Markdown."""

from collections.abc import Iterator

from cloudsync.reach.picture import Picture
from cloudsync.render.names import drawn_hosts, listed, stacked, titled
from cloudsync.spec.words import printable


def mermaid(picture: Picture) -> str:
    """Networks are subgraphs. What may pass is a node without a frame between who sends and who receives, so that no
    two of them are drawn over one another."""
    return "\n".join(("flowchart LR", *(f"  {line}" for line in _lines(picture)))) + "\n"


def _lines(picture: Picture) -> Iterator[str]:
    yield from (f"{node.id}([{_quoted(listed(node.names))}])" for node in picture.outside)
    for number, (name, subnet) in enumerate(picture.networks.items()):
        yield f"subgraph w{number} [{_quoted(f'network.{name} {subnet}')}]"
        yield from (f"  {node.id}[{_quoted(titled(node, picture))}]" for node in picture.inside(name))
        yield "end"
    for number, flow in enumerate(picture.flows):
        yield f"f{number}[{_quoted(stacked(flow.services))}]:::flow"
        yield from (f"{source} --- f{number}" for source in flow.sources)
        yield from (f"f{number} --> {target}" for target in flow.targets)
    yield "classDef flow fill:#fff,stroke:none,color:#1b1f24"
    for number, host in enumerate(drawn_hosts(picture)):
        yield f"h{number}[[{_quoted(f'host.{host}')}]]"
        yield from (f"{node.id} -.- h{number}" for node in picture.nodes if host in node.hosts)


def _quoted(text: str) -> str:
    """Mermaid's own words for what would end a text, begin markup or an entity; and its line break."""
    lines = ("".join(_entity(char) for char in printable(line)) for line in text.split("\n"))
    return '"' + "<br/>".join(lines) + '"'


def _entity(char: str) -> str:
    return f"#{ord(char)};" if char in '&"<>#`*_~\\$' else char
