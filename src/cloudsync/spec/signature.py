"""What a commit's ssh signature is of, by the commit as Git stores it. follow.py asks.

`git verify-commit` is not asked: it lets the commit choose the program that judges it (a PGP signature goes to gpg and
the keys it knows), and takes the commit's own date for the time at which a key has to be good.
"""

from cloudsync.model.dataclass import dataclass

_HEADERS = {40: b"gpgsig", 64: b"gpgsig-sha256"}
_SSH = "-----BEGIN SSH SIGNATURE-----"


@dataclass(frozen=True, slots=True)
class Signed:
    """`content` is what was signed; `signature` is armoured, empty where there is none, or more than one."""

    content: bytes
    signature: str

    @property
    def by_ssh(self) -> bool:
        return self.signature.startswith(_SSH)


def signed(name: str, commit: bytes) -> Signed:
    """The commit with the hash `name`, whose object holds `commit`. A line that begins with a space goes on with the
    header before it."""
    head, blank, message = commit.partition(b"\n\n")
    kept: list[bytes] = []
    found: list[list[bytes]] = []
    inside: list[bytes] | None = None
    for line in head.split(b"\n"):
        word, _, rest = line.partition(b" ")
        if inside is not None and not word:
            inside.append(rest)
        elif word in _HEADERS.values():
            inside = [rest]
            if word == _HEADERS[len(name)]:
                found.append(inside)
        else:
            inside = None
            kept.append(line)
    signature = b"\n".join(found[0]).decode("ascii", "replace") + "\n" if len(found) == 1 else ""
    return Signed(b"\n".join(kept) + blank + message, signature)
