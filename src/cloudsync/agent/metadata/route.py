"""A request's target into the path that it means, as segments. Pure; called by desk.py."""

from urllib.parse import unquote_to_bytes


def segments(target: bytes) -> tuple[str, ...]:
    """POSIX normalisation, also of the two leading slashes that POSIX keeps: never a redirect.

    The query is ignored. `http://NAME/path`, which a proxy would get, means the path.
    """
    raw = target.partition(b"#")[0].partition(b"?")[0]
    if not raw.startswith(b"/"):
        raw = _without_origin(raw)
    if b"%" in raw:
        raw = unquote_to_bytes(raw)
    found: list[str] = []
    for part in raw.decode("utf-8", "replace").split("/"):
        if part == "..":
            del found[-1:]
        elif part not in ("", "."):
            found.append(part)
    return tuple(found)


def _without_origin(raw: bytes) -> bytes:
    scheme, mark, rest = raw.partition(b"://")
    if not mark or not scheme.isalpha():
        return raw
    return rest.partition(b"/")[2]
