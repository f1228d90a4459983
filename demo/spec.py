"""cloud.yaml.example, an image and a public key into a spec that applies as it is. `run` and the tests call it."""

import hashlib
import re
import shutil
from pathlib import Path
from urllib.request import urlopen

from cloudsync.agent.inspect import Refused
from cloudsync.agent.pool import look
from demo.places import EXAMPLE, TOP, Failure

GIB = 1 << 30


def write(spec: Path, image: Path, public_key: str, login: str = "debian", disk: int = 4) -> None:
    """Write the example to `spec` with the two marked lines filled in; `disk` is in GiB."""
    text = EXAMPLE.read_text(encoding="utf-8")
    key = " ".join(public_key.split()[:2])
    for pattern, line in (
        (r"^    source: file:.*<-- .*$", f"    source: 'file:{image.absolute()}'"),
        (r"^    login: debian .*$", f"    login: {login}"),
        (r"^  demo: ssh-.*<-- .*$", f"  demo: {key}"),
        (r"disk: 4GiB", f"disk: {disk}GiB"),
    ):
        text, found = re.subn(pattern, line, text, flags=re.MULTILINE)
        if found != 1:
            raise Failure(f"{EXAMPLE.name} has {found} lines like {pattern!r}, not one")
    spec.write_text(text, encoding="utf-8")


def own_image(source: str) -> Path:
    """The file behind `source`, a path or an http(s) address; what was downloaded is kept under build/images."""
    if not source.startswith(("http://", "https://")):
        path = Path(source).expanduser()
        if not path.is_file():
            raise Failure(f"there is no image {source}", "make demo IMAGE=path-or-url")
        return path.resolve()
    path = TOP / "build" / "images" / f"own-{hashlib.sha256(source.encode()).hexdigest()[:16]}.img"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        try:
            with urlopen(source, timeout=60) as answer, part.open("wb") as file:  # noqa: S310 (scheme checked)
                shutil.copyfileobj(answer, file, 1 << 20)
        except OSError as error:
            raise Failure(f"{source} cannot be downloaded: {error}") from error
        part.rename(path)
    return path


def disk_for(image: Path) -> int:
    """GiB of a disk that holds the image, 4 at least. Whoever brings an image is not trusted with its format."""
    found = look(image, None)
    if isinstance(found, Refused):
        raise Failure(f"{image} {found.message}", found.hint)
    return max(4, -(-found.virtual_size // GIB))
