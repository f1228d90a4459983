"""Steps and what each waits for: images, then the document, machines, moves with the documents after each, what goes,
and the document without it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from cloudsync.model.cloud import Cloud
from cloudsync.model.document import Applied
from cloudsync.model.growth import headroom
from cloudsync.model.resources import Instance
from cloudsync.model.snapshot import HostState
from cloudsync.model.step import (
    CreateInstance,
    DeleteImage,
    DeleteInstance,
    MoveInstance,
    PutImage,
    StartInstance,
    Step,
    StopInstance,
    UpdateInstance,
)
from cloudsync.planner.act import Act, act, moves_live, secret
from cloudsync.planner.ahead import Ahead, ahead
from cloudsync.planner.conflicts import Conflicts
from cloudsync.planner.disks import carried
from cloudsync.planner.documents import Whole
from cloudsync.planner.floating import holders
from cloudsync.planner.images import Drop, Fetch
from cloudsync.planner.puts import Puts, Stages, in_order, move_id, puts
from cloudsync.planner.removals import first, machine_id, making, removals
from cloudsync.planner.seen import Pair
from cloudsync.scheduler.homes import Home
from cloudsync.scheduler.room import limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Everything about one host: `pairs` are to be there, `there` are there now, `copies` are left of moves.

    `held` says of all hosts who must let go of a name or an address.
    """

    cloud: Cloud
    host: HostState
    pairs: tuple[Pair, ...]
    there: tuple[Pair, ...]
    copies: tuple[Home, ...]
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
        for pair in work.there
        if pair.home and ((pair.doomed and _is_there(pair)) or pair.home.uuid in work.held.stops or pair.moves)
    }
    floating = holders(pair for work in every for pair in work.there)
    moves = in_order(pair for work in every for pair in work.pairs)
    hosts = [_Host(work, freed, floating, moves) for work in every]
    documents = {work.host.name: work.host.document for work in every}
    before = ahead({host.name: host.puts for host in hosts}, documents, moves)
    return tuple(step for host in hosts for step in host.steps(before))


def _freeing(work: Work, pair: Pair) -> DeleteInstance | StopInstance:
    """The step that makes an instance let go of what another takes."""
    home = pair.home
    uuid, name = (home.uuid, home.name) if home else ("", "")
    address, host = f"instance.{name}", work.host.name
    if uuid in work.held.stops:
        return StopInstance(id=f"{host}/{address}/stop-first", host=host, address=f"instance.{pair.name}", uuid=uuid)
    if pair.moves:
        return DeleteInstance(id=f"{host}/{address}/delete-moved", host=host, address=address, uuid=uuid)
    apart, disks = "" if pair.record else f"-{uuid[:8]}", tuple(disk.id for disk in pair.going)
    return DeleteInstance(id=f"{host}/{address}/delete{apart}", host=host, address=address, uuid=uuid, disks=disks)


class _Host:
    """The steps on one host. `freed` names the step by which each instance lets go, `floating` who has each floating
    address, `moves` are those of the whole cloud."""

    def __init__(
        self, work: Work, freed: Mapping[str, str], floating: Mapping[str, Pair], moves: tuple[Pair, ...]
    ) -> None:
        self._work, self._freed, self._moves = work, freed, moves
        self.name = work.host.name
        self._crowded = _crowded(work)
        doomed = [pair for pair in work.there if pair.doomed and _is_there(pair)]
        early = work.held.early
        self._first = [self._delete_early(pair) for pair in doomed if pair.home and pair.home.uuid in early]
        late = [pair for pair in doomed if pair.home and pair.home.uuid not in early]
        found = self._documents(floating, tuple(late))
        self._ready = (found.prepare.id,) if found.prepare else ()
        self._last = [replace(_freeing(work, pair), waits_for=self._ready) for pair in late]
        networks = work.shared.desired.networks
        self._less = tuple(removals(work.there, self._ready, networks))
        gone = (step.id for step in (*self._last, *self._less))
        self.puts = found.settled_by((*gone, *making(work.pairs, networks)))
        self._left = [self._delete_moved(turn, pair) for turn, pair in enumerate(moves, 1) if self._is_from_here(pair)]

    def steps(self, before: Ahead) -> Iterator[Step]:
        """`before` has what machines wait for on other hosts."""
        yield from self._first
        yield from self.puts.at.values()
        yield from (self._fetch(fetch) for fetch in self._work.fetches)
        stops = self._work.held.stops
        for pair in self._work.there:
            if pair.home and pair.home.uuid in stops:
                yield replace(_freeing(self._work, pair), waits_for=self._ready)
        for pair in self._work.pairs:
            if pair.wanted:
                yield from self._machine(pair, pair.wanted, before)
        yield from self._last
        yield from self._less
        yield from self._left
        yield from (self._delete_copy(home) for home in self._work.copies)
        yield from (self._drop(drop) for drop in self._work.drops)

    def _is_from_here(self, pair: Pair) -> bool:
        return pair.source.name == self.name

    def _delete_moved(self, turn: int, pair: Pair) -> DeleteInstance:
        """The source's copy, when the move is done and its host knows."""
        put = self.puts.at.get(turn)
        uuid = pair.home.uuid if pair.home else ""
        step_id = f"{self.name}/instance.{pair.name}/delete-moved"
        waits, address = (move_id(pair), *((put.id,) if put else ())), f"instance.{pair.name}"
        disks = carried(pair)
        return DeleteInstance(id=step_id, host=self.name, address=address, waits_for=waits, uuid=uuid, disks=disks)

    def _delete_copy(self, home: Home) -> DeleteInstance:
        return DeleteInstance(
            id=f"{self.name}/instance.{home.name}/delete-copy",
            host=self.name,
            address=f"instance.{home.name}",
            waits_for=self._ready,
            uuid=home.uuid,
            disks=tuple(disk.id for disk in home.disks),
        )

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

    def _documents(self, floating: Mapping[str, Pair], going: tuple[Pair, ...]) -> Puts:
        work = self._work
        return puts(
            Stages(
                host=work.host,
                shared=work.shared,
                pairs=work.pairs,
                moves=self._moves,
                floating=floating,
                going=going,
                let_go=self._let_go(),
                applied=work.applied,
            )
        )

    def _let_go(self) -> tuple[str, ...]:
        """Deletes after which this host's document may give away what they had."""
        work = self._work
        found = {step.id for step in self._first}
        for pair in work.pairs:
            for uuid in work.held.needs.get(pair.wanted.uuid if pair.wanted else "", ()):
                if uuid in work.held.early and uuid in self._freed:
                    found.add(self._freed[uuid])
        return tuple(sorted(found))

    def _fetch(self, fetch: Fetch) -> PutImage:
        name = fetch.image.name
        return PutImage(id=_image_id(self.name, name), host=self.name, address=f"image.{name}", image=fetch.image)

    def _drop(self, drop: Drop) -> DeleteImage:
        documents = [document.id for document in self.puts.at.values()]
        gone = tuple(step.id for step in (*self._first, *self._last, *self._left))
        return DeleteImage(
            id=f"{self.name}/image.{drop.name}/delete-{drop.sha256[:8]}",
            host=self.name,
            address=f"image.{drop.name}",
            waits_for=(*gone, *documents),
            sha256=drop.sha256,
        )

    def _machine(self, pair: Pair, wanted: Instance, before: Ahead) -> Iterator[Step]:
        """The one step that a wanted instance needs, if any."""
        work, networks = self._work, self._work.shared.desired.networks
        what = act(pair, networks)
        if what is Act.NOTHING:
            return
        host, address = self.name, f"instance.{wanted.name}"
        step_id = machine_id(pair, what)
        gateways = {nic.network: networks[nic.network].gateway for nic in wanted.nics}
        waits = tuple(dict.fromkeys((*before.of(wanted, what), *self._waits(wanted, what), *first(pair, what))))
        generation, most = work.host.generation + len(self._ready), headroom(wanted, work.host.capacity)
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
                most=most,
            )
        elif what in (Act.UPDATE, Act.KEEP, Act.GROW):
            yield UpdateInstance(
                id=step_id,
                host=host,
                address=address,
                waits_for=waits,
                instance=wanted,
                gateways=gateways,
                cloud=work.cloud.name,
                generation=generation,
                most=most,
                live=what is not Act.UPDATE,
            )
        elif what is Act.MOVE:
            yield MoveInstance(
                id=move_id(pair),
                host=host,
                address=address,
                waits_for=waits,
                source=pair.source.name,
                instance=wanted,
                gateways=gateways,
                cloud=work.cloud.name,
                generation=generation,
                most=most,
                live=moves_live(pair, networks),
                carries=carried(pair),
                to=work.cloud.hosts[host].address or "",
                bandwidth=work.cloud.bandwidth,
                tls=secret(pair),
            )
        elif what is Act.START:
            yield StartInstance(id=step_id, host=host, address=address, waits_for=waits, uuid=wanted.uuid)
        else:
            yield StopInstance(id=step_id, host=host, address=address, waits_for=waits, uuid=wanted.uuid)

    def _waits(self, wanted: Instance, what: Act) -> tuple[str, ...]:
        """Its record, its image, what it takes over from others, and room where there is none yet."""
        work = self._work
        found = list(self._ready)
        if what in (Act.CREATE, Act.MOVE) and wanted.image not in work.host.images:
            found.append(_image_id(self.name, wanted.image_name))
        if what in (Act.CREATE, Act.UPDATE, Act.GROW, Act.MOVE):
            found += sorted(self._freed[uuid] for uuid in work.held.needs.get(wanted.uuid, ()) if uuid in self._freed)
            found += [step.id for step in self._last] if self._crowded else []
        if what in (Act.CREATE, Act.UPDATE, Act.GROW):
            found += [step.id for step in self._left] if self._crowded else []
        if wanted.uuid in work.held.stops:
            found.append(self._freed[wanted.uuid])
        return tuple(dict.fromkeys(found))


def _crowded(work: Work) -> bool:
    """Whether what comes only fits once what goes has gone."""
    sizes = {one.uuid: (one.vcpus, one.memory, one.disk) for one in work.host.machines.values()}
    data = dict(work.host.data)
    for pair in work.pairs:
        if pair.wanted:
            sizes[pair.wanted.uuid] = (pair.wanted.vcpus, pair.wanted.memory, pair.wanted.disk)
            data |= {disk.id: disk.size for disk in pair.wanted.disks}
    most, taken = limit(work.cloud.hosts[work.host.name], work.host), work.host.foreign
    totals = [sum(column) for column in zip(*sizes.values(), strict=True)] or [0, 0, 0]
    return bool(
        taken.vcpus + totals[0] > most.vcpus
        or taken.memory + totals[1] > most.memory
        or taken.disk + totals[2] + sum(data.values()) > most.disk
    )


def _is_there(pair: Pair) -> bool:
    """Something of it is left to delete; a run that was cut off may have left only the record, or data disks."""
    return pair.machine is not None or pair.has_disk or any(disk.id in pair.source.data for disk in pair.going)


def _image_id(host: str, name: str) -> str:
    return f"{host}/image.{name}/put"
