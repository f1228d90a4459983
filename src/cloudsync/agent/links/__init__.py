"""The host's routing: guards against unfiltered forwarding, forwarding itself, other hosts, and floating addresses.

`Guards`, `Links`, `Fabric` and `Floating` are the Parts, `remove` takes off what they made.
"""

from cloudsync.agent.links.fabric import Fabric
from cloudsync.agent.links.floating import Floating
from cloudsync.agent.links.part import Guards, Links
from cloudsync.agent.links.remove import remove

__all__ = ["Fabric", "Floating", "Guards", "Links", "remove"]
