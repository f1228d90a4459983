"""A Picture as SVG: nodes are rows, by network; each flow is a rail beside them, joined by all that take part in it.

Nothing is drawn over anything else, however many flows there are: every line has a height or a rail of its own. What
comes and goes has a sign and a kind of line as well as a colour.
"""

from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape

from cloudsync.model.dataclass import dataclass
from cloudsync.reach.picture import UNPLACED, Flow, Mark, Node, Picture, Standing
from cloudsync.render.fit import fitting
from cloudsync.render.names import FEW, listed
from cloudsync.spec.words import printable

LEFT, WIDTH, LINE, GAP, RAIL, LABEL, LOWEST = 32, 330, 20, 14, 22, 224, 800
COLOURS = ("#2f80c2", "#b8651b", "#3d8f4e", "#9a5fb5", "#b8447a", "#2f8f8f", "#8a7a1f", "#c2483d")
WORDS = {Mark.NEW: "+ new", Mark.GONE: "− goes", Mark.CHANGED: "~ changes"}
STYLE = """\
svg text{font:13px system-ui,sans-serif;fill:#1b1f24}svg .small{font-size:11px;fill:#57606a}svg .head{font-weight:600}
.paper{fill:#fff}.band{fill:#f3f5f8;stroke:#d0d7de}.node{fill:#fff;stroke:#8c959f}.rail{fill:none;stroke-width:1.6}
.kept{stroke:#8c959f;fill:#8c959f}.new{stroke:#1a7f37;fill:#1a7f37}.gone{stroke:#cf222e;fill:#cf222e}
.new .rail{stroke-width:2.6}.gone .rail{stroke-width:2.6;stroke-dasharray:7 5}
.node.new,.node.gone,.node.changed{fill:#fff;stroke-width:2.6}.node.changed{stroke:#9a6700;stroke-dasharray:2 3}
.node.gone{stroke-dasharray:7 5}svg .sign{font-weight:700}
@media screen and (prefers-color-scheme:dark){svg text{fill:#e6edf3}svg .small{fill:#9da7b3}.paper{fill:#0d1117}
.band{fill:#161b22;stroke:#30363d}.node,.node.new,.node.gone,.node.changed{fill:#0d1117}.node{stroke:#6e7681}
.kept{stroke:#6e7681;fill:#6e7681}.new,.node.new{stroke:#3fb950}.new{fill:#3fb950}.gone,.node.gone{stroke:#f85149}
.gone{fill:#f85149}.node.changed{stroke:#d29922}}"""

_CLASS = {Mark.SAME: "kept", Mark.NEW: "new", Mark.GONE: "gone", Mark.CHANGED: "changed"}
_TOLD = 40
"""Flows that the description for who cannot see it names."""


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
    parts, wide, bottom = _drawing(picture, 48)
    legend, bottom = _legend(picture, bottom)
    head = _text(LEFT - 8, 28, _title(picture), "head", wide - LEFT)
    paper = f'<rect class="paper" width="{wide}" height="{bottom}"/>'
    return _framed(picture, [f"<style>{STYLE}</style>", paper, head, *parts, *legend], wide, bottom)


def figure(picture: Picture) -> str:
    """The same for a page that has `STYLE` already, and says elsewhere who is on which host and in which group."""
    parts, wide, bottom = _drawing(picture, 8)
    return _framed(picture, parts, wide, bottom)


def _framed(picture: Picture, parts: list[str], wide: int, high: int) -> str:
    size = f'viewBox="0 0 {wide} {high}" width="{wide}" height="{high}"'
    told = f'<title id="drawn">{_words(_title(picture))}</title><desc id="told">{_words(_description(picture))}</desc>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="drawn" aria-describedby="told">'
    return "\n".join((head, told, *parts, "</svg>\n"))


def _title(picture: Picture) -> str:
    return f"Who may talk to whom in {picture.cloud}"


def _description(picture: Picture) -> str:
    """All that the lines say, in words."""
    names = {node.id: listed(node.names) for node in picture.nodes}
    told = []
    for flow in picture.flows[:_TOLD]:
        ends = " → ".join(", ".join(names[one] for one in side) for side in (flow.sources, flow.targets))
        told.append(f"{WORDS.get(flow.mark, '')} {ends} {', '.join(flow.services)}".strip())
    rest = len(picture.flows) - len(told)
    return "; ".join([*told, *([f"and {rest} more"] if rest else [])]) or "nobody may talk to anybody"


def _drawing(picture: Picture, top: int) -> tuple[list[str], int, int]:
    """Its parts, width and height."""
    rows, bands, bottom = _laid_out(picture, top)
    first = LEFT + WIDTH + LABEL
    parts = [*_bands(bands), *(text for row in rows for text in _node(row))]
    for number, flow in enumerate(picture.flows):
        parts += _flow(number, flow, rows, first + number * RAIL, picture.compared)
    hidden = _hidden(picture)
    if hidden:
        bottom += 20
        parts.append(_text(LEFT, bottom - 12, hidden, "small", LOWEST - LEFT))
    return parts, max(first + RAIL * len(picture.flows) + 24, LOWEST), bottom


def _hidden(picture: Picture) -> str:
    instances, flows = picture.hidden
    left = [f"{count:,} {noun}" for count, noun in ((instances, "instances"), (flows, "flows")) if count]
    return f"and {' and '.join(left)} that are not drawn" if left else ""


def _laid_out(picture: Picture, below: int) -> tuple[list[Row], list[tuple[str, int, int]], int]:
    """Rows from top to bottom, and the band of each network: its title, top and height."""
    rows: list[Row] = []
    bands: list[tuple[str, int, int]] = []
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
        yield _text(LEFT, top + 21, title, "small head", WIDTH)


def _node(row: Row) -> Iterator[str]:
    node = row.node
    kind = f"node {_CLASS[node.mark]}" if node.mark else "node"
    yield f"<g><title>{_words(', '.join(node.names))}</title>"
    yield f'<rect class="{kind}" x="{LEFT}" y="{row.top}" width="{WIDTH}" height="{row.height}" rx="6"/>'
    sign = WORDS.get(node.mark, "")
    yield _text(LEFT + 12, row.top + 22, listed(node.names), "head", WIDTH - (100 if sign else 24))
    if sign:
        yield f'<text x="{LEFT + WIDTH - 12}" y="{row.top + 22}" class="small sign" text-anchor="end">{sign}</text>'
    if node.networks:
        more = f"  (also in {', '.join(node.networks[1:])})" if len(node.networks) > 1 else ""
        yield _text(LEFT + 12, row.top + 39, f"in {_groups(node)}{more}", "small", WIDTH - 24)
    if node.hosts or node.hosts_before:
        yield _text(LEFT + 12, row.top + 54, f"on {_hosts(node)}", "small", WIDTH - 24)
    yield "</g>"


def _groups(node: Node) -> str:
    come = [f"+ {name}" for name in node.groups if name not in node.groups_before]
    go = [f"− {name}" for name in node.groups_before if name not in node.groups]
    return (", ".join(node.groups) or "no group") + (f"  ({', '.join(come + go)})" if come or go else "")


def _hosts(node: Node) -> str:
    before = "" if node.hosts == node.hosts_before else f"  (was {_counted(node.hosts_before)})"
    return _counted(node.hosts) + before


def _counted(hosts: Mapping[str, int]) -> str:
    if len(hosts) > FEW:
        return f"{len(hosts)} hosts"
    return ", ".join(
        (host or "no host yet") + (f" ×{count}" if len(hosts) > 1 else "") for host, count in hosts.items()
    )


def _flow(number: int, flow: Flow, rows: list[Row], rail: int, compared: bool) -> Iterator[str]:
    ends = [(row.at(index), stub.sends) for row in rows for index, stub in enumerate(row.stubs) if stub.flow == number]
    start, colour = LEFT + WIDTH, COLOURS[number % len(COLOURS)]
    kind = f'class="{_CLASS[flow.mark]}"' if compared else f'stroke="{colour}" fill="{colour}"'
    yield f"<g {kind}><title>{_words(', '.join(flow.services))}</title>"
    yield f'<path class="rail" d="M{rail} {min(ends)[0]}V{max(ends)[0]}"/>'
    for height, sends in ends:
        yield f'<path class="rail" d="M{start} {height}H{rail}"/>'
        yield f'<circle cx="{rail}" cy="{height}" r="3" stroke="none"/>'
        tail = f'<circle cx="{start}" cy="{height}" r="4" stroke="none"/>'
        yield tail if sends else f'<path d="M{start} {height}l9 -5v10z" stroke="none"/>'
    yield "</g>"
    sign = f"{flow.mark} " if flow.mark else ""
    for height, sends in ends:
        words = _services(flow.services, LABEL - 50)
        said = f"{sign}{words} →" if sends else f"→ {sign}{words}"
        yield _text(start + 14, height - 4, said, "small", LABEL - 20)


def _services(services: tuple[str, ...], room: int) -> str:
    """As many as there is room for, one at least, and the number of the others."""
    for shown in range(len(services), 0, -1):
        rest = len(services) - shown
        words = ", ".join(services[:shown]) + (f", +{rest}" if rest else "")
        if shown == 1 or fitting(words, room, small=True) == words:
            return words
    return ""


def _legend(picture: Picture, top: int) -> tuple[list[str], int]:
    """Hosts with what is on them, and groups with how many are in them."""
    placed = {name for one in picture.hosts.values() for name in one.after or ()}
    lines = [f"host.{host}: {_members(one)}" for host, one in picture.hosts.items()]
    waiting = [name for node in picture.nodes if UNPLACED in node.hosts for name in node.names]
    left = [name for name in waiting if name.removeprefix("instance.") not in placed]
    lines += [f"on no host yet: {listed(left)}"] if left else []
    for name, group in picture.groups.items():
        count = len(group.after or ())
        lines.append(f"group.{name}: {count} instance{'s' if count != 1 else ''}")
    shown = [_text(LEFT, top + 18 * (index + 1), line, "small", LOWEST - LEFT) for index, line in enumerate(lines)]
    return shown, top + 18 * len(lines) + 28


def _members(one: Standing) -> str:
    return listed(one.after or ()) or "nothing"


def _text(x: int, y: int, words: str, kind: str, room: int) -> str:
    shown = fitting(printable(words), room, small="small" in kind)
    return f'<text x="{x}" y="{y}" class="{kind}">{escape(shown)}</text>'


def _words(text: str) -> str:
    return escape(printable(text))
