"""Telling systemd where the agent is: the sd_notify protocol, one datagram a message."""

import os
import socket


def notify(message: str) -> None:
    """Send `READY=1` and the like when systemd asks for it by $NOTIFY_SOCKET; otherwise nothing."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        try:
            sender.connect(address)
            sender.sendall(message.encode())
        except OSError:
            return
