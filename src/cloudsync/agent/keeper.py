"""Keeps the host as its document says: takes a new document in, goes back when a part refuses it, tells drift.

Effects come first, the stored document last. So what is stored has been accepted by every part, and a crash in between
is repaired at the next start, which applies what is stored: the controller never got an answer, sees the old
generation, and plans again. The new document is on the disk (staged) before anything is touched.
Parts are applied in order, and a new document stops at the first that fails. At start every part is brought into force
that does not need one that failed (forwarding needs the firewall: a host without its rules does not forward), and the
rest is tried again in the background.
"""

import logging
from collections.abc import Sequence
from socket import gethostname
from threading import Lock

from cloudsync.agent.mishap import mishap
from cloudsync.agent.part import Judge, Part, Witness
from cloudsync.agent.retry import FIRST_PAUSE, Retry
from cloudsync.agent.seal import Damage
from cloudsync.agent.store import Store, Text
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import CloudsyncError, HostError
from cloudsync.model.ruling import Ruling
from cloudsync.model.snapshot import Drift
from cloudsync.reach.question import Question

log = logging.getLogger("cloudsync.agent")


class Moved(HostError):
    """The document that was to be replaced is not the current one."""


class Foreign(HostError):
    """This host belongs to another cloud, or to another host of the same spec."""


class Blank(HostError):
    """There is no document."""


class Keeper:
    """Calls may come from several threads; one change or look at a time."""

    def __init__(self, parts: Sequence[Part], store: Store, first_pause: float = FIRST_PAUSE) -> None:
        """`first_pause` is in seconds: when what is not in force is tried again."""
        self._parts = tuple(parts)
        self._store = store
        self._lock = Lock()
        self._document: HostDocument | None = None
        self._damage: Damage | None = None
        self._failed: dict[str, str] = {}
        self._hopeless: tuple[Drift, ...] = ()
        self._retry = Retry(self._mend, first_pause)

    @property
    def document(self) -> HostDocument | None:
        return self._document

    def uuids(self) -> frozenset[str]:
        """Of the instances that are in force."""
        return frozenset(one.uuid for one in self._document.instances.values()) if self._document else frozenset()

    def held(self) -> tuple[HostDocument | None, str]:
        """The document and its etag, of one moment."""
        with self._lock:
            return self._document, self._etag

    @property
    def _etag(self) -> str:
        return self._store.etag if self._document else ""

    def start(self) -> None:
        """Apply what is stored. A part that fails is told as drift: the agent must live to be given a better document.

        A damaged document closes the host: the parts get an empty one, so that no guest talks under unknown rules.
        """
        with self._lock:
            found = self._store.load()
            if isinstance(found, Damage):
                self._damage = found
                log.error("%s is damaged: %s", self._store.path, found.reason)
            self._document = found if isinstance(found, HostDocument) else None
            self._restore()

    def restore(self) -> None:
        """Bring into force again what should be: others have done away with some of it."""
        with self._lock:
            self._restore()

    def _restore(self) -> None:
        current = self._standing()
        if current is not None:
            self._settle(current, self._parts)

    def put(self, document: HostDocument, base: int, text: Text | None = None) -> str:
        """Make `document`, which replaces generation `base`, what this host is, and store it as `text`; its etag.

        Raise Moved, Foreign or HostError.
        """
        with self._lock:
            self._admit(document, base)
            self._stage(document, text)
            try:
                self._switch(document)
                self._commit(document)
            except BaseException:
                self._store.discard()
                raise
            self._document, self._damage, self._failed = document, None, {}
            log.info("generation %d of cloud %s is in force", document.generation, document.cloud)
            return self._etag

    def mend(self, patient: bool) -> int:
        """Where the document says `repair`, restore what others changed; if `patient`, also what did not help. Returns
        how many things are as they should be again."""
        with self._lock:
            document = self._document
            if document is None or not document.repair or self._failed:
                return 0
            found = changed = self._drift(document)
            if found and (patient or found != self._hopeless):
                for one in found:
                    log.warning("somebody changed this: %s: %s; restoring it", one.address, one.message)
                self._restore()
                found = self._drift(document)
            self._hopeless = found
            return max(0, len(changed) - len(found))

    def look(self) -> tuple[HostDocument | None, tuple[Drift, ...], str]:
        """The document, where the host differs from it, and its etag, of one moment."""
        with self._lock:
            found = (*self._own_drift(), *self._drift(self._document))
            return self._document, tuple(dict.fromkeys(found)), self._etag

    def _drift(self, document: HostDocument | None) -> tuple[Drift, ...]:
        return tuple(one for part in self._parts for one in _ask(part, document)) if document else ()

    def rulings(self, asked: Question) -> tuple[Ruling, ...]:
        """What the kernel's rules do with packets. Raise HostError, Blank while there is no document."""
        document = self._document
        if document is None:
            raise Blank("this host has no document yet: no rule is about anything", "apply first")
        for part in self._parts:
            if isinstance(part, Judge):
                return part.rulings(document, asked)
        raise HostError("no part of this agent knows the kernel's rules", "are controller and agent of one version?")

    def power_on(self, uuid: str) -> None:
        """This instance is about to be started."""
        for part in self._parts:
            if isinstance(part, Witness):
                part.power_on(uuid)

    def close(self) -> None:
        self._retry.close()
        with self._lock:
            for part in reversed(self._parts):
                try:
                    part.close()
                except Exception as error:
                    log.error("%s did not close: %s", part.name, mishap(error))

    def _standing(self) -> HostDocument | None:
        """What the parts should be at now: after damage, a document that allows nothing."""
        if self._damage is None:
            return self._document
        seal = self._damage.seal
        return HostDocument(cloud=seal.cloud if seal else "", host=seal.host if seal else "")

    def _admit(self, document: HostDocument, base: int) -> None:
        self._admit_owner(document)
        current = self._document.generation if self._document else 0
        if base != current:
            raise Moved(
                f"the document to be replaced is generation {base}, but this host is at {current}",
                "another apply came between: plan again",
            )

    def _admit_owner(self, document: HostDocument) -> None:
        """Damage does not free the host: while the seal can be read it still says whose it is."""
        if self._damage is not None and self._damage.seal is None:
            path = self._store.path
            raise Foreign(
                f"this host's document is damaged so that it cannot be told which cloud owns the host ({path})",
                f"make sure that {document.cloud!r} does, then: sudo mv {path} {path}.damaged, and restart the agent",
            )
        owner = self._damage.seal if self._damage else self._document
        if owner is None or (self._document is not None and self._document.released):
            return
        if owner.cloud != document.cloud:
            raise Foreign(
                f"this host belongs to cloud {owner.cloud!r}, not to {document.cloud!r}",
                f"release it with `cloudsync destroy` of cloud {owner.cloud!r}, or take it out of this spec",
            )
        if owner.host != document.host:
            raise Foreign(
                f"this host is {owner.host!r} in its cloud, but the document is for {document.host!r}",
                "do two hosts of the spec have the same uri, or was the host renamed? Give it its old name",
            )

    def _stage(self, document: HostDocument, text: Text | None) -> None:
        try:
            self._store.stage(document, text)
        except OSError as error:
            self._store.discard()
            raise _not_stored(self._store, error) from error

    def _commit(self, document: HostDocument) -> None:
        try:
            self._store.commit()
        except OSError as error:
            back = self._go_back(self._parts, document)
            raise _not_stored(self._store, error, back) from error

    def _switch(self, document: HostDocument) -> None:
        for index, part in enumerate(self._parts):
            failure = _apply(part, document)
            if failure is not None:
                back = self._go_back(self._parts[: index + 1], document)
                message = f"{part.name}: {failure.message}{back}"
                log.error("generation %d was refused by %s", document.generation, message)
                raise HostError(message, failure.hint)

    def _go_back(self, done: Sequence[Part], refused: HostDocument) -> str:
        """All parts that saw the refused document get the old one again; what to say of it, empty when all took it.

        The one that refused gets it too: it may have failed after its rules were in.
        """
        old = self._standing() or HostDocument(cloud=refused.cloud, host=refused.host)
        failed = {part.name: failure.message for part in reversed(done) if (failure := _apply(part, old))}
        if not failed:
            return ""
        self._failed |= failed
        self._retry.begin()
        return "; and " + ", ".join(f"{name} could not go back: {message}" for name, message in failed.items())

    def _settle(self, document: HostDocument, parts: Sequence[Part]) -> None:
        """Bring into force what can be; what cannot is tried again later."""
        for part in parts:
            lacking = [name for name in part.needs if name in self._failed]
            failure = HostError(f"it waits for {lacking[0]}") if lacking else _apply(part, document)
            if failure is None:
                if self._failed.pop(part.name, None) is not None:
                    log.info("%s is in force", part.name)
            elif self._failed.get(part.name) != failure.message:
                self._failed[part.name] = failure.message
                log.error("%s: %s", part.name, mishap(failure))
        if self._failed:
            self._retry.begin()

    def _mend(self) -> bool:
        """Whether all is in force."""
        with self._lock:
            current = self._standing()
            if self._failed and current is not None:
                self._settle(current, [part for part in self._parts if part.name in self._failed])
            return not self._failed

    def _own_drift(self) -> Sequence[Drift]:
        standing = self._standing()
        host = (standing.host if standing else "") or gethostname()
        if self._damage is not None:
            message = f"the stored document is damaged ({self._damage.reason}); guests are cut off"
            remedy = "the next apply writes it anew" if self._damage.seal else "needs you: see the agent's log"
            return (Drift(address=f"host.{host}", host=host, message=message, remedy=remedy),)
        return [
            Drift(address=f"host.{host}", host=host, message=f"{name} is not in force: {message}")
            for name, message in self._failed.items()
        ]


def _apply(part: Part, document: HostDocument) -> CloudsyncError | None:
    """Why it failed, None when it is in force. An error nobody foresaw leaves the details in the log only."""
    try:
        part.apply(document)
    except CloudsyncError as error:
        return error
    except Exception as error:
        log.error("%s failed: %s", part.name, mishap(error))
        return HostError(f"failed with {type(error).__name__}", "the details are in the agent's log")
    return None


def _ask(part: Part, document: HostDocument) -> tuple[Drift, ...]:
    try:
        return part.drift(document)
    except Exception as error:
        log.error("the drift of %s cannot be told: %s", part.name, mishap(error))
        message = error.message if isinstance(error, CloudsyncError) else type(error).__name__
        told = f"{part.name} cannot be read: {message}"
        return (Drift(address=f"host.{document.host}", host=document.host, message=told),)


def _not_stored(store: Store, error: OSError, back: str = "") -> HostError:
    return HostError(
        f"the document cannot be stored in {store.path.parent}: {error.strerror}{back}",
        f"make room or mend the file system: df -h {store.path.parent}",
    )
