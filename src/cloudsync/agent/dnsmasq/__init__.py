"""Addresses and names for guests, by one dnsmasq a host. `Dnsmasq` is the Part."""

from cloudsync.agent.dnsmasq.part import Dnsmasq, end_all

__all__ = ["Dnsmasq", "end_all"]
