"""A plan for people: `The plan, as text`."""

from collections.abc import Mapping, Sequence

from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Action, Change, Disruption, Field, Held, Placement, Plan, Unplaced
from cloudsync.render.mass import most
from cloudsync.render.names import listed
from cloudsync.render.paint import Paint
from cloudsync.render.plan_json import summary
from cloudsync.render.rolls import rolls
from cloudsync.spec.words import printable

SYMBOLS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REPLACE: "-/+",
    Action.MOVE: ">",
    Action.RENAME: "~",
    Action.DELETE: "-",
}
COLOURS = {"+": "green", "~": "yellow", "-/+": "red", ">": "yellow", "-": "red", "!": "magenta", "✗": "red", "?": "red"}
ELSEWHERE = {"Exposure": {"+": "yellow", "-": "green"}, "Cannot move": {"!": "yellow"}}
"""Sections in which signs have other colours: a way that opens is no good news."""
MARKS = {"ready": "✓", "cordoned": "✓ cordoned", "drained": "✓ drained"}
MANY = 6


def text(plan: Plan, colour: bool, noun: str = "Plan") -> str:
    """Hosts, drift, changes and their order, exposure, broken expectations, what has no place or stays, totals."""
    paint = Paint(colour)
    sections = [[one.title, *_lines(one, paint)] for one in listing(plan)]
    parts = [hosts(plan, paint), *("\n".join(lines) for lines in sections)]
    parts += ["\n".join(f"warning: {printable(one)}" for one in plan.warnings)] if plan.warnings else []
    parts += ["\n".join(f"note: {printable(one)}" for one in plan.notes)] if plan.notes else []
    parts.append(totals(plan, noun))
    return "\n\n".join(part for part in parts if part) + "\n"


@dataclass(frozen=True, slots=True)
class Section:
    """`rows` begin with a sign, empty where there is none; `columns` are what follows it. `line` is how a row is
    written in one line; without it the rows are aligned."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    line: str = ""


def listing(plan: Plan) -> list[Section]:
    """All that is said of a plan apart from its hosts and totals; sections that have nothing to say are left out."""
    found = [
        Section("Drift (changed outside cloudsync)", ("What", "Where and how", "Then"), _drift(plan)),
        Section("Changes", ("What", "Change", "Meaning"), _changes(plan)),
        Section("Order", ("Taken down",), tuple(("", line) for line in rolls(plan.rolls)), "{}"),
        Section("Exposure", ("From", "To", "May send"), _exposure(plan), "{} → {}  {}"),
        Section("Expectations", ("Expected", "Why it does not hold"), _expectations(plan), "{}: {}"),
        Section("No place", ("What", "Why"), _homeless(plan), "{}  {}"),
        Section("Cannot move", ("What", "Why"), _staying(plan), "{}  {}"),
    ]
    return [one for one in found if one.rows]


def texts(section: Section) -> list[str]:
    """Each row as one line, without its sign."""
    cells = [row[1:] for row in section.rows]
    return [printable(section.line.format(*row)) for row in cells] if section.line else _aligned(cells)


def _lines(section: Section, paint: Paint) -> list[str]:
    signs = [_sign(row[0], section, paint) for row in section.rows]
    return [f"{sign}{text}" for sign, text in zip(signs, texts(section), strict=True)]


def _sign(sign: str, section: Section, paint: Paint) -> str:
    if not sign:
        return "  "
    painted = paint.of(ELSEWHERE.get(section.title, COLOURS)[sign], sign.rjust(3 if section.title == "Changes" else 1))
    return f"{painted} " if section.title == "Changes" else f"  {painted} "


def hosts(plan: Plan, paint: Paint) -> str:
    """Each host; of many that are ready, only their number."""
    ready = [name for name, host in plan.hosts.items() if host.status == "ready"]
    crowd = len(ready) > MANY
    words = [paint.green(f"{len(ready)} hosts {MARKS['ready']}")] if crowd else []
    for name, host in plan.hosts.items():
        if host.status not in MARKS:
            words.append(paint.red(printable(f"{name} ✗ {host.status}{_left_alone(host.left_alone)}")))
        elif not (crowd and host.status == "ready"):
            words.append(paint.green(printable(f"{name} {MARKS[host.status]}")))
    return "  ".join(words)


def _left_alone(count: int) -> str:
    if not count:
        return ""
    return f": {count} instance{'s' if count != 1 else ''} there {'are' if count != 1 else 'is'} left alone"


def _drift(plan: Plan) -> tuple[tuple[str, ...], ...]:
    return tuple(("!", one.address, f"{one.host}: {one.message}", one.remedy) for one in plan.drift)


def _changes(plan: Plan) -> tuple[tuple[str, ...], ...]:
    placements = {f"instance.{one.instance}": one for one in plan.placements}
    told = [change for change in plan.changes if change.action is not Action.REPAIR]
    rows = [(SYMBOLS[one.action], one.address, *_words(one, placements.get(one.address), plan)) for one in told]
    rows += [(SYMBOLS[one.change.action], one.change.address, *_held(one, plan)) for one in plan.held]
    return tuple(rows)


def _exposure(plan: Plan) -> tuple[tuple[str, ...], ...]:
    """Who may now talk to whom, or no longer may."""
    signed = [("+", line) for line in plan.exposure.added] + [("-", line) for line in plan.exposure.removed]
    return tuple((sign, listed(one.sources), listed(one.targets), ", ".join(one.services)) for sign, one in signed)


def _expectations(plan: Plan) -> tuple[tuple[str, ...], ...]:
    if not plan.broken:
        return ()
    from cloudsync.reach.expect import words

    return tuple(("✗", words(one.expectation), one.because) for one in plan.broken)


def _words(change: Change, placement: Placement | None, plan: Plan) -> tuple[str, str]:
    """What changes, and what that means."""
    if change.action is Action.CREATE:
        name = change.address.removeprefix("instance.")
        known = Placement(instance=name, host=change.hosts[0]) if name != change.address and change.hosts else None
        return _created(change, placement or known)
    what = "  ".join(_field(field) for field in change.fields[:MANY])
    if len(change.fields) > MANY:
        what += f"  and {len(change.fields) - MANY} more"
    meaning = "no disruption" if change.disruption is Disruption.NONE else change.disruption.label
    if change.action is Action.DELETE:
        meaning = ""
    if change.disruption is Disruption.DESTROYS_DATA:
        meaning = _destroyed(change)
    if change.address.startswith("host.") and change.action is Action.DELETE:
        return ", ".join(change.reasons), ""
    if change.address.startswith("group."):
        return what, ", ".join(word for word in (meaning, *change.reasons) if word)
    if change.disruption is Disruption.LIVE and len(change.hosts) > 1:
        meaning += f", {len(change.hosts)} hosts"
    reasons = [reason for reason in change.reasons if reason not in meaning and "destroys" not in reason]
    if len(plan.hosts) > 1 and change.address.startswith("instance."):
        reasons.insert(0, f"on {', '.join(change.hosts)}")
    return what, meaning + (f" ({'; '.join(reasons)})" if reasons else "")


def _destroyed(change: Change) -> str:
    """Which disks, where that is not just the root disk."""
    verb = {Action.REPLACE: "REPLACE: ", Action.DELETE: "DELETE: "}.get(change.action, "")
    if change.disks in ((), ("root",)):
        return f"{verb}destroys its disk"
    kind = "" if "root" in change.disks else "data "
    return f"{verb}destroys its {kind}disk{'s' * (len(change.disks) > 1)} {', '.join(change.disks)}"


def _held(one: Held, plan: Plan) -> tuple[str, str]:
    """What would change, and that it does not."""
    what, meaning = _words(one.change, None, plan)
    if one.change.action is Action.CREATE:
        meaning = ""
    return what, f"held: {one.why}" + (f"; would be: {meaning}" if meaning else "")


def _created(change: Change, placement: Placement | None) -> tuple[str, str]:
    values = {field.path: field.after or "" for field in change.fields}
    if placement is None:
        shown = [field.after or "" if field.path != "rule" else f"+ {field.after}" for field in change.fields[:MANY]]
        more = f", and {len(change.fields) - MANY} more" if len(change.fields) > MANY else ""
        where = f"on {', '.join(change.hosts)}" if change.address.startswith("image.") and change.hosts else ""
        if change.address.startswith("host."):
            return ", ".join(change.reasons), where
        return ", ".join(shown) + more, where
    notes = refused(placement.refusals, placement.refusing)
    notes += [f"runner-up {placement.runner_up}"] if placement.runner_up else []
    if "port_security" in values:
        notes.insert(0, f"port_security {values['port_security']}")
    disks = [f"{path.removeprefix('disks.')} {after}" for path, after in values.items() if path.startswith("disks.")]
    notes += [f"disks {', '.join(disks)}"] if disks else []
    notes += change.reasons
    addresses = " ".join(values[path] for path in ("address", "floating_ip") if path in values)
    said = f"→ {placement.host}  {addresses}" + (f"  ({'; '.join(notes)})" if notes else "")
    return f"{values.get('flavor', '')}, {values.get('image', '')}", said


def refused(refusals: Mapping[str, str], count: int) -> list[str]:
    """Each host's reason; of many hosts, each reason with how many give it."""
    if len(refusals) <= MANY:
        told = [f"{host}: {why}" for host, why in refusals.items()]
    else:
        hosts: dict[str, list[str]] = {}
        for host, why in refusals.items():
            hosts.setdefault(why, []).append(host)
        told = [f"{_some(names)}: {why}" for why, names in hosts.items()]
    return told + ([f"{count - len(refusals)} more hosts refuse"] if count > len(refusals) else [])


def _some(names: list[str]) -> str:
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def _field(field: Field) -> str:
    if field.path == "rule":
        return f"+ {field.after}" if field.after else f"- {field.before}"
    if field.path == "name":
        return f"renamed from {field.before}"
    return f"{field.path} {field.before or 'none'} → {field.after or 'none'}"


def _homeless(plan: Plan) -> tuple[tuple[str, ...], ...]:
    return tuple(("?", f"instance.{one.instance}", f"not placed: {_why(one)}") for one in plan.homeless)


def _staying(plan: Plan) -> tuple[tuple[str, ...], ...]:
    return tuple(
        ("!", f"instance.{one.instance}", f"stays on {one.host}: it cannot move ({_why(one)})") for one in plan.staying
    )


def _why(one: Unplaced) -> str:
    return "; ".join(refused(one.refusals, len(one.refusals))) or "there is no host"


def totals(plan: Plan, noun: str = "Plan") -> str:
    """One line."""
    if not (plan.steps or plan.changes or plan.unplaced):
        return "Nothing to do: what drifted is left alone." if plan.drift else "Nothing to do."
    count = summary(plan)
    words = ", ".join(f"{count[verb]} to {verb}" for verb in ("add", "change", "replace", "remove"))
    drift = f"; {count['drift']} drift to repair" if count["drift"] else ""
    disks = count["disks_destroyed"]
    lost = f" {disks} disk{'s' if disks != 1 else ''} will be destroyed." if disks else ""
    going = printable(f" It deletes or makes anew {most(plan.mass)}.") if plan.mass else ""
    return f"{noun}: {words}{drift}.{lost}{going}"


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Columns, safe for a terminal; a very long cell does not push the others away."""
    shown = [tuple(printable(cell) for cell in row) for row in rows]
    widths = [max((len(row[column]) for row in shown if len(row[column]) <= 60), default=0) for column in (0, 1)]
    return [f"{row[0].ljust(widths[0])}  {row[1].ljust(widths[1])}  {row[2]}".rstrip() for row in shown]
