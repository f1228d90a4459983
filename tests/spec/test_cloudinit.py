"""User-data that cloud-init would pass over as a whole; without a word of it."""

import pytest

from cloudsync.spec.cloudinit import unread


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("#cloud-config\npassword: hunter2: x\n", "is no YAML from its line 2 on"),
        ("\n#cloud-config\nusers:\n\t- hunter2\n", "is no YAML from its line 4 on"),
        ("#Cloud-Config\nusers: *hunter2\n", "is no YAML from its line 2 on"),
        ("#cloud-config\nhunter2: \x01\n", "is no YAML"),
        ("#cloud-config\n- hunter2\n", "is not a mapping of keys"),
        ("#cloud-config\nhunter2\n", "is not a mapping of keys"),
        ("#cloud-config\na: 1\n---\nhunter2: 1\n", "is more than one YAML document"),
    ],
)
def test_it_is_told_what_is_wrong(text: str, wrong: str) -> None:
    said = unread(text.encode())
    assert said is not None
    assert said[0] == wrong
    assert said[1]
    assert "hunter2" not in "".join(said)


@pytest.mark.parametrize(
    "text",
    [
        "#cloud-config\npackages: [postgresql]\n",
        "#cloud-config\nmirror: {uri: http://192.0.2.1:80/x}\nusers: &a [b]\nmore: *a\n",
        "#cloud-config\n",
        "#cloud-config\n~\n",
        "#cloud-config-archive\n- {type: text/cloud-config}\n",
        "#!/bin/sh\na: b: c\n",
        "## template: jinja\n#cloud-config\n{% if a %}\n",
        "",
    ],
)
def test_what_is_read_and_what_is_something_else_is_left_alone(text: str) -> None:
    assert unread(text.encode()) is None


def test_what_is_no_text_is_left_alone() -> None:
    assert unread(b"#cloud-config\na: \xff: b\n") is None
    assert unread(b"\x1f\x8b") is None
