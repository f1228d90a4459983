"""What tells that a file is another, without opening it: files.py compares."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

Prints = Mapping[Path, tuple[int, int, int] | None]


def prints(paths: Iterable[Path]) -> Prints:
    """By path; None for what is not there, or cannot be looked at."""
    return {path: _print(path) for path in paths}


def names(path: Path) -> set[str]:
    """Under which changes of it are told, when there is a listener where `folders` says."""
    whole = path.absolute()
    return {str(whole), os.path.realpath(whole)}


def folders(paths: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """Where to listen for changes of these files: the folder that each is in by its name, the one where it really is,
    and those of links on the way, as far as there are any; with what tells that a folder is another."""
    wanted: set[Path] = set()
    for path in paths:
        whole = path.absolute()
        wanted |= {whole.parent, Path(os.path.realpath(whole)).parent}
        wanted |= {folder.parent for folder in whole.parents if folder.is_symlink()}
    return dict(_nearest(folder) for folder in wanted)


def above(places: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """Where these folders are: nobody else hears that one of them is renamed."""
    return dict(_nearest(place.parent) for place in places)


def _nearest(folder: Path) -> tuple[Path, tuple[int, int]]:
    """Itself, or what is there of the way to it."""
    while True:
        try:
            status = folder.stat()
            return folder, (status.st_dev, status.st_ino)
        except OSError:
            if folder == folder.parent:
                return folder, (0, 0)
            folder = folder.parent


def _print(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
