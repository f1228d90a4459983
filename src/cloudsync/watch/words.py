"""What happens, in words for a person: what is written for good, and the one line that says how things stand. Pure;
screen.py shows it."""

from dataclasses import replace

from cloudsync.apply.events import Failed
from cloudsync.model.dataclass import dataclass
from cloudsync.model.plan import Held, Unplaced
from cloudsync.render.paint import Paint
from cloudsync.render.plan_text import listing, refused, texts
from cloudsync.render.problems import text as problems
from cloudsync.render.progress import title
from cloudsync.spec.words import count, printable, some
from cloudsync.watch.happening import Ended, Ending, Happening, Planned, Ready, RoundBegan, RoundEnded, Stepped
from cloudsync.watch.relapse import Resting
from cloudsync.watch.trigger import Reason

ENDINGS = {
    Ending.QUIET: "in sync",
    Ending.APPLIED: "applied",
    Ending.BROKEN: "the spec is broken; the cloud stays as it is",
    Ending.REFUSED: "refused; the cloud stays as it is",
    Ending.FAILED: "failed",
    Ending.LOCKED: "another apply is at work",
    Ending.INTERRUPTED: "interrupted; the next apply goes on",
}


@dataclass(frozen=True, slots=True)
class Words:
    """`now` is how things stand; `held`, `unplaced` and `resting` were shown already."""

    paint: Paint
    now: str = "starting"
    held: tuple[Held, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    resting: tuple[Resting, ...] = ()
    said: str = ""

    def after(self, happening: Happening) -> tuple["Words", str]:
        """What is so then, and what is to be written; empty for nothing."""
        match happening:
            case RoundBegan():
                return replace(self, now="looking"), ""
            case Planned():
                shown = replace(self, now="applying", held=happening.plan.held, unplaced=happening.plan.unplaced)
                return shown, self._planned(happening)
            case Stepped(event=Failed() as event):
                hint = f"\n    hint: {printable(event.hint)}" if event.hint else ""
                return self, self.paint.red("FAILED") + f" {title(event.step)}: {printable(event.message)}{hint}"
            case RoundEnded():
                return self._ended(happening)
            case Ended():
                return replace(self, now="ended"), "stopped" + (": the next apply goes on" * happening.interrupted)
            case Ready():
                return replace(self, now="watching"), ""
        return self, ""

    def _planned(self, happening: Planned) -> str:
        rows = [
            (row[0], text) for one in listing(happening.plan) for row, text in zip(one.rows, texts(one), strict=True)
        ]
        return "\n".join(f"  {sign.rjust(3)} {text}" for sign, text in rows)

    def _ended(self, one: RoundEnded) -> tuple["Words", str]:
        now = _standing(one)
        parts = []
        if one.held != self.held and one.held:
            parts += [_waits(held) for held in one.held]
        if one.unplaced != self.unplaced:
            parts += [placeless(it) for it in one.unplaced]
        parts += [_rests(it) for it in one.resting if it not in self.resting]
        words = self._line(one)
        quiet = one.ending is Ending.QUIET and not any(
            trigger.reason is not Reason.INTERVAL for trigger in one.triggers
        )
        if one.problems:
            parts.append(problems(one.problems, self.paint.on).rstrip("\n"))
        said = "\n".join(printable(line) for line in f"{one.message}\n{one.hint}".strip().split("\n") if line)
        if not quiet and not (one.ending in (Ending.LOCKED, Ending.FAILED) and said == self.said):
            parts.append(words + (f": {said}" if said and not one.problems else ""))
        left = f", {count(len(one.held), 'change')} held" if one.held else ""
        left += f", no place for {_names(one.unplaced)}" if one.unplaced else ""
        left += f", {some([it.address for it in one.resting])} rests" if one.resting else ""
        silent = f", no answer from {some(one.silent)}" if one.silent else ""
        again = f", again in {one.again:.0f} s" if one.again is not None else ""
        shown = replace(self, held=one.held, unplaced=one.unplaced, resting=one.resting, said=said)
        return replace(shown, now=now + left + silent + again), "\n".join(parts)

    def _line(self, one: RoundEnded) -> str:
        """`save of cloud.yaml: applied 2 changes in 0.21 s`."""
        why = ", ".join(dict.fromkeys(f"{t.reason.value}{f' ({t.detail})' if t.detail else ''}" for t in one.triggers))
        what = _standing(one)
        if one.made or one.repaired:
            what += f": {count(len(one.made), 'change')}" if one.made else f": {one.repaired} drift repaired"
        what += f", no place for {_names(one.unplaced)}" if one.unplaced else ""
        bad = one.unplaced or one.ending in (Ending.BROKEN, Ending.REFUSED, Ending.FAILED)
        colour = "red" if bad else "green"
        return f"{printable(why)}: {self.paint.of(colour, what)} in {one.seconds:.2f} s"


def placeless(one: Unplaced) -> str:
    """With each host's reason."""
    why = "; ".join(refused(one.refusals, len(one.refusals))) or "there is no host"
    if one.host is not None:
        return printable(f"instance.{one.instance} stays on {one.host}: it cannot move ({why})")
    return printable(f"instance.{one.instance} is not placed: {why}")


def _names(unplaced: tuple[Unplaced, ...]) -> str:
    return printable(some([one.instance for one in unplaced]))


def _standing(one: RoundEnded) -> str:
    waits = (one.unplaced or one.resting) and one.ending is Ending.QUIET
    return "nothing to do" if waits else ENDINGS[one.ending]


def _rests(one: Resting) -> str:
    """`instance.web is put right again at 11:02:33: 3 repairs of it did not last`."""
    vain = "the repair of it did" if one.times == 1 else f"{one.times} repairs of it did"
    return printable(f"{one.address} is put right again at {one.at.astimezone():%H:%M:%S}: {vain} not last")


def _waits(one: Held) -> str:
    what = "destroys data" if one.change.destroys_data else one.change.disruption.label.replace("none", "")
    return printable(f"held: {one.change.action.value} {one.change.address}" + (f" ({what})" if what else ""))
