"""The host's routing: guards against unfiltered forwarding, and forwarding itself. `Links` is the Part."""

from cloudsync.agent.links.part import Links

__all__ = ["Links"]
