"""Proof that a guest cannot speak in another's name: packets with a made-up source against one with its own."""

from demo import outside
from demo.guest import Guest

PORT = 9999
FORGE = """\
sudo python3 - <<'PYTHON'
import socket, struct
def add(data):
    total = sum(struct.unpack(f"!{{len(data) // 2}}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
to, port = "{to}", {port}
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for source in ("{forged}", "{neighbour}"):
    body = b"forged"
    udp = struct.pack("!4H", port, port, 8 + len(body), 0) + body
    head = struct.pack("!BBHHHBBH4s4s", 69, 0, 20 + len(udp), 1, 0, 64, 17, 0, *map(socket.inet_aton, (source, to)))
    head = head[:10] + struct.pack("!H", add(head)) + head[12:]
    raw.sendto(head + udp, (to, 0))
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"honest", (to, port))
PYTHON
"""
LISTEN = """\
import socket, sys
listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
listener.bind(("{at}", {port}))
listener.settimeout(60)
print("ready", flush=True)
heard = b""
while heard != b"honest":
    heard, sender = listener.recvfrom(64)
    print(heard.decode(), sender[0], flush=True)
"""


def heard(guest: Guest, neighbour: str) -> list[str]:
    """What arrives outside, up to the honest packet, which is sent last: words such as `honest 198.51.100.1`."""
    listen = LISTEN.format(at=outside.ADDRESS, port=PORT)
    with outside.shell(f"exec timeout 90 python3 -c '{listen}'") as listener:
        if listener.stdout is None or listener.stdout.readline().strip() != "ready":
            return ["no listener"]
        guest.shell(FORGE.format(to=outside.ADDRESS, port=PORT, forged="192.0.2.77", neighbour=neighbour))
        return listener.communicate()[0].splitlines()
