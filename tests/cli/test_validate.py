"""`validate` as a forge reads it: the file that it marks is the one in the repository. And what it only warns of."""

import json

from tests.cli.specs import APART, PAIR
from tests.cli.terminal import Terminal
from tests.spec.repository import Repository

BROKEN = APART.replace("db: {image: blank", "db: {image: blnk")
WORDS = 'col=15::there is no image "blnk"%0Ahint: did you mean "blank"?\n'


def marked(terminal: Terminal) -> str:
    return terminal.type("validate", "--format", "github").out


def test_a_spec_in_a_folder_is_marked_where_the_repository_has_it(terminal: Terminal) -> None:
    repository = Repository.new(terminal.folder)
    spec = repository.folder / "sites/a,b/cloud.yaml"
    spec.parent.mkdir(parents=True)
    spec.write_text(BROKEN)
    there = "::error file=sites/a%2Cb/cloud.yaml,line=15,"
    assert marked(Terminal(spec.parent)) == there + WORDS
    link = repository.folder / "prod.yaml"
    link.symlink_to("sites/a,b/cloud.yaml")
    assert marked(Terminal(repository.folder, "prod.yaml")) == there + WORDS


def test_outside_of_a_repository_it_is_called_what_it_was_called(terminal: Terminal) -> None:
    terminal.write(BROKEN)
    assert marked(terminal) == f"::error file={terminal.spec},line=15,{WORDS}"


def test_user_data_that_cloud_init_would_ignore_is_warned_of(terminal: Terminal) -> None:
    data = "    user_data: |\n      #cloud-config\n      password: hunter2: x\n"
    spec = f"{PAIR}  db:\n    image: blank\n    flavor: small\n{data}"
    terminal.write(spec)
    said = terminal.type("validate")
    assert said.code == 0
    line = len(spec.splitlines()) - 2
    assert said.out == (
        f'{terminal.spec}:{line}:5: warning: the user-data of "db" is no YAML from its line 2 on: '
        "cloud-init ignores all of it\n"
        "      user_data: |\n      ^\n"
        '  hint: check the indentation there, and put a text that holds ": " in quotes\n'
    )
    (problem,) = json.loads(terminal.type("validate", "--format", "json").out)["problems"]
    assert problem["severity"] == "warning"
    assert marked(terminal).startswith(f"::warning file={terminal.spec},line={line},col=5::the user-data")
    assert "hunter2" not in said.out + said.err + marked(terminal)
    terminal.write(spec.replace("hunter2: x", "hunter2"))
    assert terminal.type("validate").out == ""


def test_a_file_of_user_data_is_looked_at_too(terminal: Terminal) -> None:
    (terminal.folder / "db.yaml").write_text("#cloud-config\n- a\n")
    terminal.write(f"{PAIR}  db: {{count: 2, image: blank, flavor: small, user_data: {{file: db.yaml}}}}\n")
    said = terminal.type("validate")
    assert said.code == 0
    assert said.out.count('warning: the user-data of "db" is not a mapping of keys') == 1


def test_a_warning_does_not_hide_a_problem(terminal: Terminal) -> None:
    (terminal.folder / "db.yaml").write_text("#cloud-config\n- a\n")
    spec = f"{PAIR}  db: {{image: blank, flavor: small, user_data: {{file: db.yaml}}}}\n"
    terminal.write(f"{spec}expect:\n  - {{allow: {{from: internet, to: instance.db, protocol: tcp, port: 22}}}}\n")
    said = terminal.type("validate")
    assert said.code == 1
    assert 'warning: the user-data of "db" is not a mapping of keys' in said.out
    assert "hint: write a rule that lets it through, or change what is expected" in said.out
