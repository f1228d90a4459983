"""The metadata service as a Part of a stand-in host: `standins(document, more=("tests.lab.metadata:part",))`."""

from pathlib import Path

from cloudsync.agent.metadata.service import MetadataPart
from tests.lab.standins import METADATA_PORT, PATIENCE, Peer


def part(run: Path) -> MetadataPart:
    return MetadataPart(METADATA_PORT, run / "metadata", lambda _boot: None)


def ask(peer: Peer, path: str, source: str = "", host: str = "169.254.169.254") -> str:
    """The body of the answer to a guest's GET, from an address of its choice; OSError when there is none."""
    with peer.namespace.socket() as client:
        client.settimeout(PATIENCE)
        client.bind((source or peer.address, 0))
        client.connect((host, 80))
        client.sendall(f"GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while data := client.recv(65536):
            answer += data
    return answer.partition(b"\r\n\r\n")[2].decode()
