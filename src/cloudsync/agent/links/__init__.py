"""The host's routing: guards against unfiltered forwarding, forwarding itself, and floating addresses.

`Guards`, `Links` and `Floating` are the Parts, `remove` takes off what they made.
"""

from cloudsync.agent.links.floating import Floating
from cloudsync.agent.links.part import Guards, Links
from cloudsync.agent.links.remove import remove

__all__ = ["Floating", "Guards", "Links", "remove"]
