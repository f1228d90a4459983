"""Where private keys that cloudsync made live: outside any repository, readable by their owner alone."""

import os
from pathlib import Path


def private_key_path(cloud: str, name: str) -> Path:
    """`$XDG_DATA_HOME/cloudsync/keys/CLOUD/NAME`."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "cloudsync" / "keys" / cloud / name
