"""What stands in place of the digest of an image file that nobody has opened. `attach` puts it there, the planner
compares it as it compares digests, and `show` says what it is."""

_FILE, _GIT = "file:", "git:"


def unopened(source: str, blob: str) -> str:
    """Of the file at `source`. Where Git has it, `blob` is what Git calls its content: the same wherever that lies."""
    return f"{_GIT}{blob}" if blob else f"{_FILE}{source}"


def is_unopened(digest: str) -> bool:
    """Whether it is no digest, but what stands for one."""
    return digest.startswith((_FILE, _GIT))


def spoken(digest: str) -> str:
    """`sha256:0f3c3b5a4ad0`, `git:0f3c3b5a4ad0`, or `file:/srv/images/debian-12.qcow2`."""
    if digest.startswith(_FILE):
        return digest
    kind, _, text = digest.rpartition(":")
    return f"{kind or 'sha256'}:{text[:12]}"
