"""`validate` as a forge reads it: the file that it marks is the one in the repository."""

from tests.cli.specs import APART
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
