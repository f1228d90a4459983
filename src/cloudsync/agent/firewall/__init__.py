"""The host's firewall: documents into nftables, one transaction each. `Firewall` is the Part, `remove` takes it off."""

from cloudsync.agent.firewall.part import Firewall
from cloudsync.agent.firewall.remove import remove

__all__ = ["Firewall", "remove"]
