"""The one place where tests of real packets ask the pure model."""

from cloudsync.model.document import HostDocument
from cloudsync.reach.recorded import of_document
from cloudsync.reach.service import of_packet


class Model:
    """Whether a connection may begin, by its first packet: source, target, protocol, port there, ICMP type and code."""

    def __init__(self, document: HostDocument) -> None:
        self._scene = of_document(document)

    def __call__(
        self, source: str, target: str, protocol: int, port: int | None = None, icmp: tuple[int, int] | None = None
    ) -> bool:
        return self._scene.permits(source, target, of_packet(protocol, port, icmp))
