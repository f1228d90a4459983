"""How to call this very program as root: what hints name has to run as it stands."""

import shlex
import shutil
import sys
from pathlib import Path

_ROOTS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where sudo looks for programs (Debian's secure_path): never in a .venv."""


def as_root(words: str) -> str:
    """`sudo cloudsync WORDS`, with the whole path of this program where root would not find it by its name."""
    here = Path(sys.argv[0] if Path(sys.argv[0]).name == "cloudsync" else Path(sys.executable).with_name("cloudsync"))
    if shutil.which("cloudsync", path=_ROOTS) or not here.exists():
        return f"sudo cloudsync {words}"
    return f"sudo {shlex.quote(str(here.absolute()))} {words}"
