"""UDP that comes out of devices of this machine, as lines of `PORT MONOTONIC-SECONDS`: `python -m bench.arrivals DEV…`.

bench/watch.py runs it on the hosts of guests that have no ears. The clock is the same for all namespaces.
"""

import select
import socket
import struct
import sys
import time

_IP4 = 0x0800


def main() -> None:
    ears = []
    for device in sys.argv[1:]:
        ear = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
        ear.bind((device, 3))
        ears.append(ear)
    print("ready", flush=True)
    seen: set[tuple[int, int]] = set()
    while True:
        for ear in select.select(ears, [], [])[0]:
            packet, (_, kind, direction, *_rest) = ear.recvfrom(2048)
            if kind != _IP4 or direction != socket.PACKET_OUTGOING or packet[9] != socket.IPPROTO_UDP:
                continue
            port = struct.unpack_from("!H", packet, (packet[0] & 15) * 4 + 2)[0]
            if (ear.fileno(), port) not in seen:
                seen.add((ear.fileno(), port))
                print(port, time.monotonic(), flush=True)


if __name__ == "__main__":
    main()
