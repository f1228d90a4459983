"""What guests have posted as their password, encrypted by them to the instance's key: kept by the agent, 0600."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock

from cloudsync.agent.places import replace_file


class Passwords:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._passwords = _load(path)

    def all(self) -> Mapping[str, bytes]:
        """By instance uuid."""
        with self._lock:
            return dict(self._passwords)

    def put(self, uuid: str, password: bytes) -> None:
        """The first stays."""
        with self._lock:
            if uuid not in self._passwords:
                self._passwords[uuid] = password
                self._save()

    def keep(self, uuids: Iterable[str]) -> None:
        """Forget every other machine's."""
        with self._lock:
            kept = {uuid: self._passwords[uuid] for uuid in uuids if uuid in self._passwords}
            if kept != self._passwords:
                self._passwords = kept
                self._save()

    def _save(self) -> None:
        """A full disk must not stop a boot: then it is lost with the agent."""
        plain = {uuid: b64encode(password).decode() for uuid, password in self._passwords.items()}
        with suppress(OSError):
            replace_file(self._path, json.dumps(plain).encode(), durable=True)


def _load(path: Path) -> dict[str, bytes]:
    try:
        plain = json.loads(path.read_bytes())
        return {str(uuid): b64decode(text, validate=True) for uuid, text in plain.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
