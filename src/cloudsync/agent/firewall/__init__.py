"""The host's firewall: documents into nftables, one transaction each. `Firewall` is the Part, `remove` takes it off,
`shut` lets nothing through where it cannot be loaded."""

from cloudsync.agent.firewall.part import Firewall
from cloudsync.agent.firewall.remove import remove
from cloudsync.agent.firewall.shut import shut

__all__ = ["Firewall", "remove", "shut"]
