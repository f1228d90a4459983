"""`stream` or `ping` an ADDRESS every 10 ms until standard input ends: the longest silence, and `whole` or `lost`."""

import select
import socket
import struct
import sys
import time

EVERY = 0.01
PATIENCE = 90.0
LAST = 10.0
"""Seconds that the last answer may take."""


class Stream:
    """TCP to an echo: whole when all that was sent came back."""

    def __init__(self, address: str) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self.socket = socket.create_connection((address, 7), timeout=5)
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(EVERY)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sent = self._back = 0

    def send(self) -> None:
        self._sent += self.socket.send(b"echo")

    def hear(self) -> bool:
        """Whether anything came."""
        data = self.socket.recv(1 << 16)
        self._back += len(data)
        return bool(data)

    @property
    def whole(self) -> bool:
        return self._sent == self._back


class Ping:
    """ICMP echo: whole when the last that was sent came back."""

    def __init__(self, address: str) -> None:
        self._to = (address, 0)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self.socket.settimeout(5)
        self._number = self._heard = 0

    def send(self) -> None:
        self._number += 1
        body = struct.pack("!HH", 0x5A5A, self._number & 0xFFFF)
        check = 0xFFFF - (0x0800 + 0x5A5A + (self._number & 0xFFFF)) % 0xFFFF
        self.socket.sendto(struct.pack("!BBH", 8, 0, check) + body, self._to)

    def hear(self) -> bool:
        packet, _ = self.socket.recvfrom(2048)
        kind, _, _, mark, number = struct.unpack_from("!BBHHH", packet, 20)
        if (kind, mark) != (0, 0x5A5A):
            return False
        self._heard = number
        return True

    @property
    def whole(self) -> bool:
        return self._heard == self._number & 0xFFFF


def main() -> None:
    kind, address = sys.argv[1:]
    one: Stream | Ping = Stream(address) if kind == "stream" else Ping(address)
    one.send()
    one.hear()
    print("begun", flush=True)
    worst, last, next_at = 0.0, time.monotonic(), time.monotonic()
    ending = 0.0
    while not ending or (not one.whole and time.monotonic() < ending):
        now = time.monotonic()
        if now >= next_at and not ending:
            one.send()
            next_at = now + EVERY
        ears = [one.socket] if ending else [one.socket, sys.stdin]
        ready, _, _ = select.select(ears, [], [], max(0.0, next_at - now) or EVERY)
        if one.socket in ready and one.hear():
            worst, last = max(worst, time.monotonic() - last), time.monotonic()
        if sys.stdin in ready:
            ending = time.monotonic() + LAST
    print(round(max(worst, time.monotonic() - last), 3), "whole" if one.whole else "lost")


if __name__ == "__main__":
    main()
