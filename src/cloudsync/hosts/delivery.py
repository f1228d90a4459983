"""A host's document to its agent: as a delta to the one that the agent is known to hold, whole when none is known.

Called by host.py.
"""

from cloudsync.hosts.agent_client import AgentClient
from cloudsync.model.agent_state import AgentState
from cloudsync.model.dataclass import dataclass
from cloudsync.model.document import HostDocument
from cloudsync.model.problem import StaleError


@dataclass(slots=True)
class Delivery:
    """`saw` and `send` tell it what the agent holds."""

    agent: AgentClient
    _known: tuple[HostDocument, str] | None = None

    def saw(self, state: AgentState) -> None:
        self._known = (state.document, state.etag) if state.document and state.etag else None

    @property
    def known(self) -> HostDocument | None:
        return self._known[0] if self._known else None

    def send(self, document: HostDocument, base: int) -> None:
        """Replace generation `base`. StaleError when another document came between: nothing is changed then."""
        known, self._known = self._known, None
        etag = self._changed(known, document, base) or self.agent.put_document(document, base)
        self._known = (document, etag) if etag else None

    def _changed(self, known: tuple[HostDocument, str] | None, document: HostDocument, base: int) -> str:
        """The new etag; empty when only the whole will do, as when the agent holds another document by now."""
        if known is None:
            return ""
        old, etag = known
        if (old.cloud, old.host, old.generation) != (document.cloud, document.host, base):
            return ""
        from cloudsync.model.delta import difference

        try:
            return self.agent.patch_document(difference(old, document), etag)
        except StaleError:
            return ""
