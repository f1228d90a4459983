"""A Picture in Mermaid's language, which forges draw in Markdown."""

from collections.abc import Iterator

from cloudsync.reach.picture import Picture
from cloudsync.render.names import listed, titled
from cloudsync.spec.words import printable


def mermaid(picture: Picture) -> str:
    """Networks are subgraphs; a flow between several on both sides goes by a small circle."""
    return "\n".join(("flowchart LR", *(f"  {line}" for line in _lines(picture)))) + "\n"


def _lines(picture: Picture) -> Iterator[str]:
    yield from (f"{node.id}([{_quoted(listed(node.names))}])" for node in picture.outside)
    for number, (name, subnet) in enumerate(picture.networks.items()):
        yield f"subgraph w{number} [{_quoted(f'network.{name} {subnet}')}]"
        yield from (f"  {node.id}[{_quoted(titled(node))}]" for node in picture.inside(name))
        yield "end"
    for number, flow in enumerate(picture.flows):
        words = _quoted(", ".join(flow.services))
        if len(flow.sources) > 1 and len(flow.targets) > 1:
            yield f"f{number}(( ))"
            yield from (f"{source} ---|{words}| f{number}" for source in flow.sources)
            yield from (f"f{number} --> {target}" for target in flow.targets)
        else:
            yield from (f"{one} -->|{words}| {other}" for one in flow.sources for other in flow.targets)
    for number, host in enumerate(picture.hosts):
        yield f"h{number}[[{_quoted(f'host.{host}')}]]"
        yield from (f"{node.id} -.- h{number}" for node in picture.nodes if host in node.hosts)


def _quoted(text: str) -> str:
    """Mermaid takes HTML's entities for what would end a text, and its own line break."""
    escaped = [
        printable(line).replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace("#", "&#35;")
        for line in text.split("\n")
    ]
    return '"' + "<br/>".join(escaped) + '"'
