"""What the agent keeps as its document says, in the order it is brought into force. Called by serve.py and the CLI.

Guards close the host to what its firewall has not seen. Links, which switches forwarding on, refuses without the
firewall's rules. Addresses and metadata come last: a guest that asks too early asks again.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from cloudsync.agent.dnsmasq import Dnsmasq, end_all
from cloudsync.agent.firewall import Firewall
from cloudsync.agent.firewall.remove import remove as remove_rules
from cloudsync.agent.links import Fabric, Floating, Guards, Links
from cloudsync.agent.listen import ending, owner_of
from cloudsync.agent.metadata import predecessor
from cloudsync.agent.metadata.service import MetadataPart
from cloudsync.agent.metadata.tally import Counts
from cloudsync.agent.part import Part
from cloudsync.agent.places import Places
from cloudsync.model.problem import CloudsyncError
from cloudsync.model.snapshot import Boot

RUN = Path("/run/cloudsync")
SOCKET = RUN / "agent.sock"
STATE = Path("/var/lib/cloudsync/agent")


def make_parts(places: Places, on_boot: Callable[[Boot], None], on_asked: Callable[[Counts], None]) -> Sequence[Part]:
    """`on_boot` and `on_asked` are called from a thread of the metadata service."""
    addresses = Dnsmasq(places.run)
    metadata = MetadataPart(places.metadata_port, places.state, on_boot, on_asked=on_asked)
    walls = Firewall(places.metadata_port, (addresses.prepare, metadata.prepare))
    return (Guards(), walls, Links(walls.loaded), Fabric(), Floating(), addresses, metadata)


def remove(socket: Path = SOCKET, run: Path = RUN, state: Path = STATE) -> None:
    """End what outlives the agent, then take the rules and guards out of the kernel; machines, disks and the stored
    document stay.

    Raise CloudsyncError while an agent runs: it would call that drift, and its guests would be cut off.
    """
    living = owner_of(socket)
    if living is not None:
        raise CloudsyncError(f"the agent (process {living}) still runs", ending(living))
    end_processes(run, state)
    remove_rules()


def end_processes(run: Path = RUN, state: Path = STATE) -> None:
    """What an agent with these folders left running for its guests."""
    end_all(run)
    predecessor.end(state)
