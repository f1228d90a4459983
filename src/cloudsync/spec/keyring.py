"""The key pairs of a spec, whatever is wrong elsewhere in it. `keypair create | import | list` ask for no more: a key
pair is made before what uses it is right."""

import re
from pathlib import Path

from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import Problem, SpecError
from cloudsync.spec import names
from cloudsync.spec.attach import public_keys
from cloudsync.spec.document import read
from cloudsync.spec.draft import draft
from cloudsync.spec.files import Folder
from cloudsync.spec.members import members


@dataclass(frozen=True, slots=True)
class Keyring:
    """`names` are all that are taken, `keys` the public key lines that can be read, `users` the instances with each.

    `cloud` is empty where the spec does not name it; `problems` are those of the key pairs.
    """

    cloud: str
    names: frozenset[str]
    keys: dict[str, str]
    users: dict[str, list[str]]
    problems: tuple[Problem, ...]


def keyring(path: Path) -> Keyring:
    """Of the spec at `path`. SpecError when it is not YAML."""
    document = read(path)
    if not document.complete:
        raise SpecError([document.problem(spot) for spot in document.spots])
    drafted, shape = draft(document)
    attached = public_keys(drafted, Folder.of(path))
    found = [*(one for one in shape if one.trail[:1] == ("keypairs",)), *attached.found]
    users: dict[str, list[str]] = {name: [] for name in attached.keys}
    for base, instance in sorted(drafted.instances.items()):
        for name in users.keys() & set(instance.keypairs):
            users[name] += members(base, instance)
    cloud = document.root.get("cloud")
    good = isinstance(cloud, str) and bool(re.fullmatch(names.LABEL, cloud))
    return Keyring(
        cloud=cloud if good else "",
        names=drafted.names["keypairs"],
        keys=attached.keys,
        users=users,
        problems=tuple(document.problem(one, drafted.tree) for one in found),
    )
