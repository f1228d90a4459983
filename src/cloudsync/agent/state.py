"""Everything a controller asks about a host at once: GET /v1/host. Reads, changes nothing; called by app.py."""

from dataclasses import replace
from datetime import UTC, datetime

from cloudsync import __version__
from cloudsync.agent import certificates, kvm, uplink
from cloudsync.agent.links import interface
from cloudsync.agent.links.netlink import occupied
from cloudsync.agent.links.vxlan import mtus
from cloudsync.agent.services import Services
from cloudsync.model.agent_state import AgentState
from cloudsync.model.journal import cut_off, latest


def gather(services: Services) -> AgentState:
    """User-data is taken out: it may hold secrets, and nobody needs it back."""
    usable, reason = kvm.probe()
    document, drift, etag = services.keeper.look()
    pool = services.images.pool
    images = pool.images()
    outward = (document.uplink if document else None) or uplink.find()
    applies = services.journal.recent()
    return AgentState(
        version=__version__,
        kvm=usable,
        kvm_reason=reason,
        uplink=outward,
        document=replace(document, user_data={}) if document else None,
        etag=etag,
        drift=drift,
        obstacles=services.lookout.look(document, outward).obstacles,
        boots=services.boots.all(),
        images={sha256: image.size for sha256, image in images.items()},
        image_info=images,
        partial=pool.partial(),
        disks=pool.disks(),
        data=pool.data(),
        pool_size=pool.size(),
        pool_free=pool.free(),
        occupied=occupied(),
        mtus=mtus(),
        at=datetime.now(UTC).isoformat(),
        tls=certificates.for_migration(),
        taps=interface.present(),
        applied=latest(applies),
        cut_off=cut_off(applies),
    )
