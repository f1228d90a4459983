"""What the demo's guests serve is there after a restart, too: cloud-init runs scripts and runcmd once only."""

import os
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.house import tree

EXAMPLE = YAML(typ="safe").load((tree.TOP / "cloud.yaml.example").read_text())
SYSTEMCTL = '#!/bin/sh\necho "$@" >> "$(dirname "$0")/called"\n'


def web(folder: Path) -> tuple[str, list[str]]:
    """The unit that web's script writes, and what it calls systemctl with."""
    (folder / "systemctl").write_text(SYSTEMCTL)
    (folder / "systemctl").chmod(0o755)
    script = EXAMPLE["instances"]["web"]["user_data"]
    moved = script.replace("/etc/systemd/system", str(folder)).replace("/srv/www", str(folder / "www"))
    environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-c", moved], env=environment, check=True)
    return (folder / "www@.service").read_text(), (folder / "called").read_text().split()


def db() -> tuple[str, list[str]]:
    """The unit of db's cloud-config, and what its only command says to systemctl."""
    config = YAML(typ="safe").load(EXAMPLE["instances"]["db"]["user_data"])
    ((program, *words),) = config["runcmd"]
    assert program == "systemctl"
    files = {one["path"]: one["content"] for one in config["write_files"]}
    return files["/etc/systemd/system/db@.service"], words


@pytest.mark.parametrize("name", ["web", "db"])
def test_it_is_an_enabled_unit(tmp_path: Path, name: str) -> None:
    text, words = web(tmp_path) if name == "web" else db()
    unit = ConfigParser(interpolation=None)
    unit.read_string(text)
    assert unit["Install"]["WantedBy"] == "multi-user.target"
    assert unit["Service"]["ExecStart"].startswith("/usr/bin/python3 -m http.server ")
    assert words[:2] == ["enable", "--now"]
    ports = ("80", "8080") if name == "web" else ("5432", "5433")
    assert [word.partition("@")[2] for word in words[2:]] == list(ports)
