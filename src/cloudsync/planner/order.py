"""Steps and what each waits for: images, then the document, machines, what goes, and the document without it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from cloudsync.model.cloud import Cloud
from cloudsync.model.document import Applied, HostDocument
from cloudsync.model.plan import (
    CreateInstance,
    DeleteImage,
    DeleteInstance,
    PutDocument,
    PutImage,
    StartInstance,
    Step,
    StopInstance,
    UpdateInstance,
)
from cloudsync.model.resources import Instance
from cloudsync.model.snapshot import HostState
from cloudsync.planner.act import Act, act
from cloudsync.planner.conflicts import Conflicts
from cloudsync.planner.documents import Whole, claims, content, final
from cloudsync.planner.floating import awaited, holders, until_free
from cloudsync.planner.images import Drop, Fetch
from cloudsync.planner.lingering import with_leaving
from cloudsync.planner.seen import Pair
from cloudsync.scheduler.room import limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Everything about one host. `held` says of all hosts who must let go of a name or an address."""

    cloud: Cloud
    host: HostState
    pairs: tuple[Pair, ...]
    fetches: tuple[Fetch, ...]
    drops: tuple[Drop, ...]
    shared: Whole
    held: Conflicts
    applied: Applied


def steps(works: Iterable[Work]) -> tuple[Step, ...]:
    """All steps on all hosts; none for a host that is as it should be."""
    every = tuple(works)
    freed = {
        pair.home.uuid: _freeing(work, pair).id
        for work in every
        for pair in work.pairs
        if pair.home and ((pair.doomed and _is_there(pair)) or pair.home.uuid in work.held.stops)
    }
    floating = holders(pair for work in every for pair in work.pairs)
    return tuple(step for work in every for step in _Host(work, freed, floating).steps())


def _freeing(work: Work, pair: Pair) -> DeleteInstance | StopInstance:
    """The step that makes an instance let go of what another takes."""
    home = pair.home
    uuid, name = (home.uuid, home.name) if home else ("", "")
    address, host = f"instance.{name}", work.host.name
    if not pair.doomed:
        return StopInstance(id=f"{host}/{address}/stop-first", host=host, address=f"instance.{pair.name}", uuid=uuid)
    apart = "" if pair.record else f"-{uuid[:8]}"
    return DeleteInstance(id=f"{host}/{address}/delete{apart}", host=host, address=address, uuid=uuid)


class _Host:
    """The steps on one host. `freed` names the step by which each instance lets go, `floating` who has each floating
    address."""

    def __init__(self, work: Work, freed: Mapping[str, str], floating: Mapping[str, Pair]) -> None:
        self._work, self._freed = work, freed
        self._name = work.host.name
        self._crowded = _crowded(work)
        self._awaited = awaited(self._name, (pair.wanted for pair in work.pairs if pair.wanted), floating)
        doomed = [pair for pair in work.pairs if pair.doomed and _is_there(pair)]
        early = work.held.early
        self._first = [self._delete_early(pair) for pair in doomed if pair.home and pair.home.uuid in early]
        self._prepare, self._settle = self._documents()
        self._ready = (self._prepare.id,) if self._prepare else ()
        late = [pair for pair in doomed if pair.home and pair.home.uuid not in early]
        self._last = [replace(_freeing(work, pair), waits_for=self._ready) for pair in late]
        if self._settle:
            others = sorted({f"{host}/document" for host in self._awaited.values()})
            waits = (*self._ready, *others, *(step.id for step in self._last))
            self._settle = replace(self._settle, waits_for=waits)

    def steps(self) -> Iterator[Step]:
        yield from self._first
        yield from (document for document in (self._prepare, self._settle) if document)
        yield from (self._fetch(fetch) for fetch in self._work.fetches)
        stops = self._work.held.stops
        for pair in self._work.pairs:
            if pair.home and pair.home.uuid in stops:
                yield replace(_freeing(self._work, pair), waits_for=self._ready)
        for pair in self._work.pairs:
            if pair.wanted:
                yield from self._machine(pair, pair.wanted)
        yield from self._last
        yield from (self._drop(drop) for drop in self._work.drops)

    def _delete_early(self, pair: Pair) -> DeleteInstance | StopInstance:
        """Not before the image of what takes its place is there: a download that fails must not cost the old disk."""
        uuid = pair.home.uuid if pair.home else ""
        takers = self._work.held.takers.get(uuid, ())
        images = {
            _image_id(one.wanted.host, one.wanted.image_name)
            for one in takers
            if one.wanted and one.wanted.image not in one.host.images
        }
        return replace(_freeing(self._work, pair), waits_for=tuple(sorted(images)))

    def _documents(self) -> tuple[PutDocument | None, PutDocument | None]:
        """The document while the doomed still run and other hosts still have floating addresses that come here, and
        the one after that; None where nothing is to be put."""
        work = self._work
        goal = final(work.shared, self._name)
        if not claims(work.host, goal):
            return None, None
        leaving = [pair for pair in work.pairs if pair.doomed and pair.home and pair.home.uuid not in work.held.early]
        during = with_leaving(goal, work.host.document, [pair for pair in leaving if _is_there(pair)])
        during = until_free(during, self._awaited)
        base = work.host.generation
        prepare = settle = None
        if during != content(work.host.document) or work.host.drift:
            prepare = self._put("document", during, base, self._let_go())
            base += 1
        if during != goal:
            settle = self._put("document-settled", goal, base, ())
        return prepare, settle

    def _let_go(self) -> tuple[str, ...]:
        """Deletes after which this host's document may give away what they had."""
        work = self._work
        found = {step.id for step in self._first}
        for pair in work.pairs:
            for uuid in work.held.needs.get(pair.wanted.uuid if pair.wanted else "", ()):
                if uuid in work.held.early and uuid in self._freed:
                    found.add(self._freed[uuid])
        return tuple(sorted(found))

    def _put(self, word: str, document: HostDocument, base: int, waits_for: tuple[str, ...]) -> PutDocument:
        filled = replace(document, generation=base + 1, applied=self._work.applied)
        return PutDocument(
            id=f"{self._name}/{word}",
            host=self._name,
            address=f"host.{self._name}",
            waits_for=waits_for,
            document=filled,
            base=base,
        )

    def _fetch(self, fetch: Fetch) -> PutImage:
        name = fetch.image.name
        return PutImage(id=_image_id(self._name, name), host=self._name, address=f"image.{name}", image=fetch.image)

    def _drop(self, drop: Drop) -> DeleteImage:
        documents = [document.id for document in (self._prepare, self._settle) if document]
        gone = tuple(step.id for step in (*self._first, *self._last))
        return DeleteImage(
            id=f"{self._name}/image.{drop.name}/delete-{drop.sha256[:8]}",
            host=self._name,
            address=f"image.{drop.name}",
            waits_for=(*gone, *documents),
            sha256=drop.sha256,
        )

    def _machine(self, pair: Pair, wanted: Instance) -> Iterator[Step]:
        """The one step that a wanted instance needs, if any."""
        work, networks = self._work, self._work.shared.desired.networks
        what = act(pair, networks)
        if what is Act.NOTHING:
            return
        host, address = self._name, f"instance.{wanted.name}"
        step_id = f"{host}/{address}/{what.value}"
        gateways = {nic.network: networks[nic.network].gateway for nic in wanted.nics}
        waits = self._waits(wanted, what)
        generation = work.host.generation + (1 if self._prepare else 0)
        if what is Act.CREATE:
            yield CreateInstance(
                id=step_id,
                host=host,
                address=address,
                waits_for=waits,
                instance=wanted,
                gateways=gateways,
                cloud=work.cloud.name,
                generation=generation,
            )
        elif what is Act.UPDATE:
            yield UpdateInstance(
                id=step_id,
                host=host,
                address=address,
                waits_for=waits,
                instance=wanted,
                gateways=gateways,
                cloud=work.cloud.name,
                generation=generation,
            )
        elif what is Act.START:
            yield StartInstance(id=step_id, host=host, address=address, waits_for=waits, uuid=wanted.uuid)
        else:
            yield StopInstance(id=step_id, host=host, address=address, waits_for=waits, uuid=wanted.uuid)

    def _waits(self, wanted: Instance, what: Act) -> tuple[str, ...]:
        """Its record, its image, what it takes over from others, and room where there is none yet."""
        work = self._work
        found = list(self._ready)
        if what is Act.CREATE and wanted.image not in work.host.images:
            found.append(_image_id(self._name, wanted.image_name))
        if what in (Act.CREATE, Act.UPDATE):
            found += sorted(self._freed[uuid] for uuid in work.held.needs.get(wanted.uuid, ()) if uuid in self._freed)
            found += [step.id for step in self._last] if self._crowded else []
        if wanted.uuid in work.held.stops:
            found.append(self._freed[wanted.uuid])
        return tuple(dict.fromkeys(found))


def _crowded(work: Work) -> bool:
    """Whether what comes only fits once what goes has gone."""
    sizes = {one.uuid: (one.vcpus, one.memory, one.disk) for one in work.host.machines.values()}
    for pair in work.pairs:
        if pair.wanted:
            sizes[pair.wanted.uuid] = (pair.wanted.vcpus, pair.wanted.memory, pair.wanted.disk)
    most, taken = limit(work.cloud.hosts[work.host.name], work.host), work.host.foreign
    totals = [sum(column) for column in zip(*sizes.values(), strict=True)] or [0, 0, 0]
    return bool(
        taken.vcpus + totals[0] > most.vcpus
        or taken.memory + totals[1] > most.memory
        or taken.disk + totals[2] > most.disk
    )


def _is_there(pair: Pair) -> bool:
    """Something of it is left to delete; a run that was cut off may have left only the record."""
    return pair.machine is not None or pair.has_disk


def _image_id(host: str, name: str) -> str:
    return f"{host}/image.{name}/put"
