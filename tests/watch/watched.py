"""A watch of a spec in a folder, in a thread of its own, and what it tells; nothing here waits by the clock."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from threading import Thread
from time import monotonic

from cloudsync.watch.files import Files
from cloudsync.watch.happening import Happening, Observer, RoundEnded
from cloudsync.watch.loop import Watch
from cloudsync.watch.source import Ear, Source
from cloudsync.watch.trigger import Reason
from tests.effort import PATIENCE

SPEC = """\
version: 1
cloud: demo
hosts:
  h1: {uri: 'sim:?vcpus=16&memory=16GiB&disk=100GiB'}
  h2: {uri: 'sim:?vcpus=16&memory=16GiB&disk=100GiB'}
images:
  blank: {source: 'https://example.org/blank.qcow2', sha256: %s}
networks:
  default: {subnet: 10.20.0.0/24}
flavors:
  small: {vcpus: 1, memory: 512MiB, disk: 4GiB}
  other: {vcpus: 1, memory: 256MiB, disk: 4GiB}
security_groups:
  web: {ingress: [{protocol: tcp, ports: 80, from: any}]}
instances:
  web: {image: blank, flavor: small, security_groups: [default, web]}
""" % ("ab" * 32)


def save(spec: Path, text: str) -> None:
    """As editors do: into another file, which is then renamed."""
    fresh = spec.with_name(f".{spec.name}.swp")
    fresh.write_text(text)
    fresh.replace(spec)


@dataclass
class Watched:
    watch: Watch
    heard: "Queue[Happening]" = field(default_factory=Queue)
    interrupted: bool | None = None

    def next(self) -> RoundEnded:
        """The end of the next round."""
        deadline = monotonic() + PATIENCE
        while not isinstance(found := self.heard.get(timeout=max(0.0, deadline - monotonic())), RoundEnded):
            continue
        return found

    def after(self, reason: Reason) -> RoundEnded:
        """The end of the next round of that reason. Where this machine is slow, the look after an apply comes first."""
        while True:
            found = self.next()
            if any(one.reason is reason for one in found.triggers):
                return found

    def run(self) -> None:
        self.interrupted = self.watch.run()


@contextmanager
def watched(
    spec: Path,
    every: float | None = None,
    who: str = "me@here",
    more: Sequence[Observer] = (),
    ears: Sequence[Ear] = (),
    source: Source | None = None,
) -> Iterator[Watched]:
    """Ended, and waited for, after the block."""
    watch = Watch(source or Files(spec), who, every, ears=ears, chance=lambda: 0.0)
    it = Watched(watch)
    watch.observers = (*more, it.heard.put)
    thread = Thread(target=it.run)
    thread.start()
    try:
        yield it
    finally:
        watch.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the watch did not end"
