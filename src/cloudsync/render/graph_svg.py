"""A Picture as SVG: nodes are rows, by network; each flow is a rail beside them, joined by all that take part in it.

Nothing is drawn over anything else, however many flows there are: every line has a height or a rail of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from cloudsync.reach.picture import UNPLACED, Flow, Node, Picture
from cloudsync.render.names import listed
from cloudsync.spec.words import printable

LEFT, WIDTH, LINE, GAP, RAIL, LABEL, LONGEST = 32, 330, 20, 14, 22, 190, 44
COLOURS = ("#2f80c2", "#b8651b", "#3d8f4e", "#9a5fb5", "#b8447a", "#2f8f8f", "#8a7a1f", "#c2483d")
STYLE = """\
text{font:13px system-ui,sans-serif;fill:#1b1f24}.small{font-size:11px;fill:#57606a}.head{font-weight:600}
.page{fill:#fff}.band{fill:#f3f5f8;stroke:#d0d7de}.node{fill:#fff;stroke:#8c959f}.rail{fill:none;stroke-width:1.6}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9da7b3}.page{fill:#0d1117}
.band{fill:#161b22;stroke:#30363d}.node{fill:#0d1117;stroke:#6e7681}}"""


@dataclass(frozen=True, slots=True)
class Stub:
    """Where a node is joined to a flow's rail: the flow's number, and whether it sends."""

    flow: int
    sends: bool


@dataclass(slots=True)
class Row:
    node: Node
    top: int
    height: int
    stubs: list[Stub]

    def at(self, index: int) -> int:
        """The height of one of its stubs."""
        return self.top + 18 + index * LINE


def svg(picture: Picture) -> str:
    """One file, with its own colours for light and for dark."""
    rows, bands, bottom = _laid_out(picture)
    first = LEFT + WIDTH + LABEL
    parts = [*_bands(bands), *(text for row in rows for text in _node(row)), *_flows(picture.flows, rows, first)]
    legend, bottom = _legend(picture, bottom)
    wide = max(first + RAIL * len(picture.flows) + 24, 760)
    title = f"Who may talk to whom in {picture.cloud}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {bottom}" width="{wide}" height="{bottom}"'
    return "\n".join(
        (
            f'{head} role="img" aria-label={quoteattr(printable(title))}>',
            f"<style>{STYLE}</style>",
            f'<rect class="page" width="{wide}" height="{bottom}"/>',
            _text(LEFT - 8, 28, title, "head"),
            *parts,
            *legend,
            "</svg>\n",
        )
    )


def _laid_out(picture: Picture) -> tuple[list[Row], list[tuple[str, int, int]], int]:
    """Rows from top to bottom, and the band of each network: its title, top and height."""
    rows: list[Row] = []
    bands: list[tuple[str, int, int]] = []
    below = 48
    sections = [("outside", picture.outside)]
    sections += [(f"network.{name}  {subnet}", picture.inside(name)) for name, subnet in picture.networks.items()]
    for title, nodes in sections:
        if title == "outside" and not nodes:
            continue
        top, below = below, below + 32
        for node in nodes:
            stubs = list(_stubs(node, picture.flows))
            height = max(62 if node.networks else 36, 20 + LINE * len(stubs))
            rows.append(Row(node, below, height, stubs))
            below += height + GAP
        bands.append((title, top, below - top))
        below += GAP
    return rows, bands, below


def _stubs(node: Node, flows: tuple[Flow, ...]) -> Iterator[Stub]:
    for number, flow in enumerate(flows):
        for sends, ends in ((True, flow.sources), (False, flow.targets)):
            if node.id in ends:
                yield Stub(number, sends)


def _bands(bands: list[tuple[str, int, int]]) -> Iterator[str]:
    for title, top, height in bands:
        yield f'<rect class="band" x="{LEFT - 16}" y="{top}" width="{WIDTH + 32}" height="{height}" rx="8"/>'
        yield _text(LEFT, top + 21, title, "small head")


def _node(row: Row) -> Iterator[str]:
    node = row.node
    yield f"<g><title>{escape(printable(', '.join(node.names)))}</title>"
    yield f'<rect class="node" x="{LEFT}" y="{row.top}" width="{WIDTH}" height="{row.height}" rx="6"/>'
    yield _text(LEFT + 12, row.top + 22, listed(node.names), "head")
    if node.networks:
        more = f"  (also in {', '.join(node.networks[1:])})" if len(node.networks) > 1 else ""
        yield _text(LEFT + 12, row.top + 39, f"in {', '.join(node.groups) or 'no group'}{more}", "small")
        yield _text(LEFT + 12, row.top + 54, f"on {_hosts(node)}", "small")
    yield "</g>"


def _hosts(node: Node) -> str:
    return ", ".join(
        (host or "no host yet") + (f" ×{count}" if len(node.hosts) > 1 else "") for host, count in node.hosts.items()
    )


def _flows(flows: tuple[Flow, ...], rows: list[Row], first: int) -> Iterator[str]:
    for number, flow in enumerate(flows):
        colour, rail = COLOURS[number % len(COLOURS)], first + number * RAIL
        ends = [
            (row.at(index), stub.sends) for row in rows for index, stub in enumerate(row.stubs) if stub.flow == number
        ]
        start = LEFT + WIDTH
        yield f'<g stroke="{colour}" fill="{colour}"><title>{escape(", ".join(flow.services))}</title>'
        yield f'<path class="rail" d="M{rail} {min(ends)[0]}V{max(ends)[0]}"/>'
        for height, sends in ends:
            yield f'<path class="rail" d="M{start} {height}H{rail}"/>'
            yield f'<circle cx="{rail}" cy="{height}" r="3" stroke="none"/>'
            tail = f'<circle cx="{start}" cy="{height}" r="4" stroke="none"/>'
            yield tail if sends else f'<path d="M{start} {height}l9 -5v10z" stroke="none"/>'
        yield "</g>"
        for height, sends in ends:
            words = _services(flow.services)
            yield _text(start + 14, height - 4, f"{words} →" if sends else f"→ {words}", "small")


def _services(services: tuple[str, ...]) -> str:
    shown = services if len(services) <= 3 else (*services[:2], f"and {len(services) - 2} more")
    return ", ".join(shown)


def _legend(picture: Picture, top: int) -> tuple[list[str], int]:
    """Hosts with what is on them, and groups with how many are in them."""
    placed = {name for names in picture.hosts.values() for name in names}
    lines = [f"host.{host}: {listed(names) or 'nothing'}" for host, names in picture.hosts.items()]
    waiting = [name for node in picture.nodes if UNPLACED in node.hosts for name in node.names]
    left = [name for name in waiting if name.removeprefix("instance.") not in placed]
    lines += [f"on no host yet: {listed(left)}"] if left else []
    lines += [f"group.{name}: {count} instance{'s' if count != 1 else ''}" for name, count in picture.groups.items()]
    shown = [_text(LEFT, top + 18 * (index + 1), line, "small") for index, line in enumerate(lines)]
    return shown, top + 18 * len(lines) + 28


def _text(x: int, y: int, words: str, kind: str) -> str:
    cut = words if len(words) <= LONGEST or "head" not in kind else f"{words[: LONGEST - 1]}…"
    return f'<text x="{x}" y="{y}" class="{kind}">{escape(printable(cut))}</text>'
