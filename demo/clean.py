"""`make demo-clean`: the cloud destroyed, what the demo started stopped, what it made and changed taken back."""

import os
import shutil
import sys
from pathlib import Path

from demo import outside
from demo.places import CLOUDSYNC, FOLDER, RECORD, SPEC, TOP, Failure, phase, run


def main() -> int:
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if not FOLDER.exists():
        sys.stdout.write("there is no demo here\n")
        return 0
    try:
        _clean()
    except Failure as error:
        sys.stdout.flush()
        sys.stderr.write(f"error: {error}\nhint: mend that and run `make demo-clean` again; build/demo is kept\n")
        return 1
    sys.stdout.write("every trace of the demo is gone (build/images keeps the image for the next one)\n")
    return 0


def _clean() -> None:
    if SPEC.exists():
        with phase("cloudsync destroy"):
            run(TOP / "setup" / "daemons", "start", RECORD)
            run(CLOUDSYNC, "-f", SPEC, "destroy", "-y", "--allow-destroy")
    with phase("the rest"):
        outside.remove()
        run(TOP / "setup" / "daemons", "stop", RECORD)
        _remove_key()
        shutil.rmtree(FOLDER)


def _remove_key() -> None:
    """Only the one that the demo made."""
    record = FOLDER / "key"
    if not record.exists():
        return
    private = Path(record.read_text(encoding="utf-8").strip())
    for file in (private, private.with_name(private.name + ".pub")):
        file.unlink(missing_ok=True)
    for folder in private.parents[:3]:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


if __name__ == "__main__":
    raise SystemExit(main())
