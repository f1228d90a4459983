"""Steps and what each waits for: images, then the document, machines, moves with the documents after each, batches of
those that roll with the documents before each, what goes, and the document without it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cloudsync.model.cloud import Cloud
from cloudsync.model.dataclass import dataclass
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
from cloudsync.planner.act import Act, act, left_running, moves_live, secret
from cloudsync.planner.ahead import Ahead, ahead
from cloudsync.planner.conflicts import Conflicts
from cloudsync.planner.crowded import crowded
from cloudsync.planner.disks import carried
from cloudsync.planner.documents import Whole
from cloudsync.planner.floating import holders
from cloudsync.planner.images import Drop, Fetch
from cloudsync.planner.puts import Puts, Stages, puts
from cloudsync.planner.removals import first, machine_id, making, removals
from cloudsync.planner.seen import Pair
from cloudsync.planner.turns import Turns, move_id
from cloudsync.scheduler.homes import Home


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Everything about one host: `pairs` are to be there, `there` are there now, `copies` are left of moves.

    `held` says who must let go of a name or an address; `shared` is what documents share before each batch and last.
    """

    cloud: Cloud
    host: HostState
    pairs: tuple[Pair, ...]
    there: tuple[Pair, ...]
    copies: tuple[Home, ...]
    fetches: tuple[Fetch, ...]
    drops: tuple[Drop, ...]
    shared: tuple[Whole, ...]
    held: Conflicts
    applied: Applied


def steps(works: Iterable[Work], turns: Turns) -> tuple[Step, ...]:
    """All steps on all hosts; none for a host that is as it should be."""
    every = tuple(works)
    freed = {
        pair.home.uuid: _freeing(work, pair).id
        for work in every
        for pair in work.there
        if pair.home and ((pair.doomed and pair.is_there) or pair.home.uuid in work.held.stops or pair.moves)
    }
    left = [(work.host, one) for work in every for one in work.copies]
    floating = holders((pair for work in every for pair in work.there), left)
    hosts = [_Host(work, freed, floating, turns) for work in every]
    before = ahead({one.name: one.puts for one in hosts}, {one.host.name: one.host.document for one in every}, turns)
    return (*(step for host in hosts for step in host.steps(before)), *turns.awaits)


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
    address, `turns` are those of the whole cloud, `stages` say of those that roll when they do."""

    def __init__(self, work: Work, freed: Mapping[str, str], floating: Mapping[str, Pair], turns: Turns) -> None:
        self._work, self._freed, self._turns, self._stages = work, freed, turns, turns.stages
        self.name = work.host.name
        self._crowded = crowded(work.cloud.hosts[work.host.name], work.host, work.pairs)
        doomed = [pair for pair in work.there if pair.doomed and pair.is_there]
        early = work.held.early
        self._rolled = {pair.name: self._delete_rolled(pair) for pair in doomed if self._rolls(pair)}
        doomed = [pair for pair in doomed if not self._rolls(pair)]
        self._first = [self._delete_early(pair) for pair in doomed if pair.home and pair.home.uuid in early]
        late = [pair for pair in doomed if pair.home and pair.home.uuid not in early]
        found = self._documents(floating, tuple(late))
        self._ready = (found.prepare.id,) if found.prepare else ()
        self._last = [replace(_freeing(work, pair), waits_for=self._ready) for pair in late]
        networks = work.shared[-1].desired.networks
        self._less = tuple(removals(work.there, self._ready, networks))
        gone = (step.id for step in (*self._last, *self._less))
        self.puts = found.settled_by((*gone, *making(work.pairs, networks)))
        moves = enumerate(turns.moves, 1)
        self._left = [self._delete_moved(turn, pair) for turn, pair in moves if self._is_from_here(pair)]

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
        yield from (*self._rolled.values(), *self._last, *self._less, *self._left)
        yield from (self._delete_copy(home) for home in self._work.copies)
        yield from (self._drop(drop) for drop in self._work.drops)

    def _rolls(self, pair: Pair) -> bool:
        """Nobody wants what else may be there by its name."""
        return pair.wanted is not None and pair.name in self._stages

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

    def _delete_rolled(self, pair: Pair) -> DeleteInstance | StopInstance:
        """In its turn, and not before the image of what takes its place is there."""
        wanted, host = pair.wanted, pair.host
        image = [_image_id(host.name, wanted.image_name)] if wanted and wanted.image not in host.images else []
        return replace(_freeing(self._work, pair), waits_for=(*self._turns.opens(self._stages[pair.name]), *image))

    def _documents(self, floating: Mapping[str, Pair], going: tuple[Pair, ...]) -> Puts:
        work = self._work
        return puts(
            Stages(
                host=work.host,
                shared=work.shared,
                pairs=work.pairs,
                turns=self._turns,
                floating=floating,
                going=going,
                let_go=self._let_go(),
                applied=work.applied,
            )
        )

    def _let_go(self) -> dict[int, tuple[str, ...]]:
        """Deletes after which this host's document may give away what they had, by its stage."""
        work = self._work
        found = {0: {step.id for step in self._first}}
        for name, step in self._rolled.items():
            found.setdefault(self._stages[name], set()).add(step.id)
        for pair in work.pairs:
            for uuid in work.held.needs.get(pair.wanted.uuid if pair.wanted else "", ()):
                if uuid in work.held.early and uuid in self._freed:
                    found.setdefault(self._stages.get(pair.name, 0), set()).add(self._freed[uuid])
        return {stage: tuple(sorted(ids)) for stage, ids in found.items()}

    def _fetch(self, fetch: Fetch) -> PutImage:
        name = fetch.image.name
        return PutImage(id=_image_id(self.name, name), host=self.name, address=f"image.{name}", image=fetch.image)

    def _drop(self, drop: Drop) -> DeleteImage:
        documents = [document.id for document in self.puts.at.values()]
        gone = tuple(step.id for step in (*self._first, *self._rolled.values(), *self._last, *self._left))
        return DeleteImage(
            id=f"{self.name}/image.{drop.name}/delete-{drop.sha256[:8]}",
            host=self.name,
            address=f"image.{drop.name}",
            waits_for=(*gone, *documents),
            sha256=drop.sha256,
        )

    def _machine(self, pair: Pair, wanted: Instance, before: Ahead) -> Iterator[Step]:
        """The one step that a wanted instance needs, if any."""
        work, networks = self._work, self._work.shared[-1].desired.networks
        what = act(pair, networks)
        if what is Act.NOTHING:
            return
        autostart, wanted = wanted.autostart, left_running(pair, wanted, what)
        host, address = self.name, f"instance.{wanted.name}"
        step_id = machine_id(pair, what)
        gateways = {nic.network: networks[nic.network].gateway for nic in wanted.nics}
        waits = tuple(dict.fromkeys((*before.of(wanted, what), *self._waits(pair, wanted, what), *first(pair, what))))
        generation, most = self._generation(wanted), headroom(wanted, work.host.capacity)
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
                autostart=autostart,
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
                autostart=autostart,
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
                autostart=autostart,
                most=most,
                live=moves_live(pair, networks),
                carries=carried(pair),
                to=work.cloud.hosts[host].address or "",
                bandwidth=work.cloud.bandwidth,
                tls=secret(pair),
            )
        else:
            power = StartInstance if what is Act.START else StopInstance
            yield power(id=step_id, host=host, address=address, waits_for=waits, uuid=wanted.uuid, for_good=True)

    def _waits(self, pair: Pair, wanted: Instance, what: Act) -> tuple[str, ...]:
        """Its record, its image, what it takes over from others, and room where there is none yet."""
        work = self._work
        record = self.puts.by(self._stages.get(wanted.name, 0))
        found = [record.id] if record else []
        if what in (Act.CREATE, Act.MOVE) and wanted.image not in work.host.images:
            found.append(_image_id(self.name, wanted.image_name))
        if what in (Act.CREATE, Act.UPDATE, Act.GROW, Act.MOVE):
            found += sorted(self._freed[uuid] for uuid in work.held.needs.get(wanted.uuid, ()) if uuid in self._freed)
            found += [step.id for step in self._last] if self._crowded else []
        if what in (Act.CREATE, Act.UPDATE, Act.GROW):
            found += [step.id for step in self._left] if self._crowded else []
        if wanted.uuid in work.held.stops:
            found.append(self._freed[wanted.uuid])
        if pair.home and pair.home.uuid in self._freed and pair.name in self._stages:
            found.append(self._freed[pair.home.uuid])
        return tuple(dict.fromkeys(found))

    def _generation(self, wanted: Instance) -> int:
        """Of the document that its domain is written under."""
        record = self.puts.by(self._stages.get(wanted.name, 0))
        return record.document.generation if record else self._work.host.generation


def _image_id(host: str, name: str) -> str:
    return f"{host}/image.{name}/put"
