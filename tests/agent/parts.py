"""Parts for tests: small, real, steered through a folder, so that they work in the agent's process and in the test's.

NAME.log gets a line for each call; NAME.fail holds the message to fail with, NAME.once a message to
fail with one time; NAME.drift a drift's message. Where the
FIFOs NAME.entered and NAME.release exist, `apply` says that it has begun on the one and waits on the other.
"""

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from cloudsync.agent.metadata.tally import Counts
from cloudsync.agent.places import Places
from cloudsync.model import wire
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import HostError
from cloudsync.model.snapshot import Boot, Drift


class Recorder:
    def __init__(self, name: str, folder: Path, needs: tuple[str, ...] = ()) -> None:
        self.name = name
        self.needs = needs
        self._folder = folder

    def apply(self, document: HostDocument) -> None:
        self._note("apply", document)
        if self._file("entered").exists():
            self._file("entered").write_text("in")
            self._file("release").read_text()
        once = self._file("once")
        if once.exists():
            message = once.read_text()
            once.unlink()
            raise HostError(message, "mend it")
        if self._file("fail").exists():
            message = self._file("fail").read_text()
            if message == "bug":
                raise KeyError(str(document.user_data))
            raise HostError(message, "mend it")

    def drift(self, document: HostDocument) -> tuple[Drift, ...]:
        if not self._file("drift").exists():
            return ()
        text = self._file("drift").read_text()
        if text == "bug":
            raise KeyError(text)
        return (Drift(address="group.default", host=document.host, message=text),)

    def close(self) -> None:
        self._note("close", None)

    def calls(self) -> list[tuple[str, int | None, list[str]]]:
        path = self._file("log")
        lines = path.read_text().splitlines() if path.exists() else []
        return [(what, generation, names) for what, generation, names in map(json.loads, lines)]

    def applied(self) -> list[int | None]:
        """The generations, in order."""
        return [generation for what, generation, _ in self.calls() if what == "apply"]

    def fail(self, message: str | None) -> None:
        self._set("fail", message)

    def fail_once(self, message: str) -> None:
        self._set("once", message)

    def drifts(self, message: str | None) -> None:
        self._set("drift", message)

    def _set(self, kind: str, message: str | None) -> None:
        if message is None:
            self._file(kind).unlink()
        else:
            self._file(kind).write_text(message)

    def _note(self, what: str, document: HostDocument | None) -> None:
        generation = document.generation if document else None
        names = sorted(document.instances) if document else []
        with self._file("log").open("a") as file:
            file.write(json.dumps([what, generation, names]) + "\n")

    def _file(self, kind: str) -> Path:
        return self._folder / f"{self.name}.{kind}"


class Telling(Recorder):
    """Stands where the metadata service does: what is written to the FIFO `boots` is what guests have said."""

    def __init__(self, name: str, folder: Path, on_boot: Callable[[Boot], None]) -> None:
        super().__init__(name, folder)
        self._on_boot = on_boot
        threading.Thread(target=self._listen, args=(folder / "boots", on_boot), daemon=True).start()

    def power_on(self, uuid: str) -> None:
        self._on_boot(Boot(uuid=uuid))

    def _listen(self, path: Path, on_boot: Callable[[Boot], None]) -> None:
        while path.exists():
            for line in path.read_text().splitlines():
                on_boot(wire.load(Boot, line))


def recorders(folder: Path) -> tuple[Recorder, Recorder]:
    return Recorder("first", folder), Recorder("second", folder)


def make_parts(
    places: Places, on_boot: Callable[[Boot], None], _on_asked: Callable[[Counts], None]
) -> Sequence[Recorder]:
    """For daemon.run: two recorders in the folder `parts` beside the state, then the one that tells of boots."""
    folder = places.state.parent / "parts"
    return (*recorders(folder), Telling("telling", folder, on_boot))
