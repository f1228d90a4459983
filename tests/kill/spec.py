"""Specs of small blank machines, as values that differ in one thing or another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.cloud import blank_image

FLAVORS = {
    "tiny": "{vcpus: 1, memory: 24MiB, disk: 8MiB}",
    "wide": "{vcpus: 2, memory: 32MiB, disk: 8MiB}",
    "many": "{vcpus: 2, memory: 24MiB, disk: 8MiB}",
    "tall": "{vcpus: 1, memory: 24MiB, disk: 16MiB}",
}
GROUPS = {
    "default": "{}",
    "web": "{ingress: [{protocol: tcp, ports: 80, from: any}]}",
    "shut": "{egress: []}",
}
NETWORKS = {"default": "{subnet: 10.20.0.0/24}"}
TEXT = """\
version: 1
cloud: lab
hosts:
  {hosts}
images:
  {images}
networks:
  {networks}
flavors:
  {flavors}
security_groups:
  {groups}
keypairs: {{}}
instances:
  {instances}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """An instance; what is empty is left out. `address` is that of its first card; a disk is `NAME MiB`."""

    image: str = "one"
    flavor: str = "tiny"
    state: str = "running"
    host: str = ""
    groups: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    address: str = ""
    role: str = ""
    was: str = ""
    count: int | None = None
    data: str = ""
    disks: tuple[str, ...] = ()

    def __str__(self) -> str:
        words = [f"image: {self.image}", f"flavor: {self.flavor}", f"state: {self.state}"]
        words += [f"count: {self.count}"] if self.count is not None else []
        words += [f"placement: {{host: {self.host}}}"] if self.host else []
        words += [f"security_groups: [{', '.join(self.groups)}]"] if self.groups else []
        words += [f"networks: [{', '.join(self._cards())}]"] if self.networks else []
        words += [f"metadata: {{role: {self.role}}}"] if self.role else []
        words += [f"was: {self.was}"] if self.was else []
        words += [f"user_data: '#!{self.data}'"] if self.data else []
        words += [f"disks: [{', '.join(map(_disk, self.disks))}]"] if self.disks else []
        return f"{{{', '.join(words)}}}"

    def _cards(self) -> list[str]:
        cards = [f"{{name: {name}}}" for name in self.networks]
        return [f"{{name: {self.networks[0]}, address: {self.address}}}", *cards[1:]] if self.address else cards


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    boxes: Mapping[str, Box]
    images: tuple[str, ...] = ("one",)
    groups: Mapping[str, str] = field(default_factory=lambda: GROUPS)
    networks: Mapping[str, str] = field(default_factory=lambda: NETWORKS)

    @property
    def names(self) -> dict[str, Box]:
        """Of each instance that is wanted."""
        found = {}
        for name, box in self.boxes.items():
            for index in range(1, (box.count or 0) + 1):
                found[f"{name}-{index}"] = box
            if box.count is None:
                found[name] = box
        return found

    def write(self, path: Path, hosts: Mapping[str, str]) -> Path:
        """The images lie beside it."""
        images = {name: f"{{source: 'file:{path.parent / name}.raw', format: raw}}" for name in self.images}
        path.write_text(
            TEXT.format(
                hosts=_lines(hosts),
                images=_lines(images),
                networks=_lines(self.networks),
                flavors=_lines(FLAVORS),
                groups=_lines(self.groups),
                instances=_lines(self.boxes) if self.boxes else "{}",
            )
        )
        return path


def _disk(text: str) -> str:
    name, size = text.split()
    return f"{{name: {name}, size: {size}MiB}}"


def _lines(named: Mapping[str, object]) -> str:
    return "\n  ".join(f"{name}: {value}" for name, value in named.items())


def draw_images(folder: Path) -> None:
    """Two blank disks that differ."""
    for number, name in enumerate(("one", "two"), 1):
        path = blank_image(folder / f"{name}.raw")
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([number]))
