"""Denied packets: from the kernel's log into what a person reads. recordings/ hold datagrams of a real kernel."""
