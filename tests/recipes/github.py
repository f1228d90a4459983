"""A workflow of GitHub's, run step by step as its runner would: conditions, expressions, and what actions lay out."""

from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML

from tests.house.tree import TOP
from tests.recipes.forge import Forge
from tests.recipes.repository import Machine, Scene

RECIPE = TOP / "recipes" / "github" / "cloudsync.yaml"
ALWAYS = "${{ !cancelled() }}"
OUR_OWN = "${{ !cancelled() && github.event.pull_request.head.repo.full_name == github.repository }}"


def workflow() -> Any:
    return YAML(typ="safe").load(RECIPE)


@dataclass
class Run:
    """One job's. `outcomes` are exit codes of its steps by name, of those that ran; `log` is what they printed."""

    scene: Scene
    forge: Forge
    job: str
    ref: str
    stranger: bool = False
    inputs: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    log: str = ""

    def __post_init__(self) -> None:
        number = len(list((self.scene.folder / "jobs").iterdir())) if (self.scene.folder / "jobs").is_dir() else 0
        self.machine = Machine.new(self.scene.folder / "machines" / str(number))
        self.summary = self.machine.folder / "summary.md"
        self.place = self.scene.folder / "jobs" / str(number)
        for step in workflow()["jobs"][self.job]["steps"]:
            if self._wanted(step.get("if")):
                self._step(step, number)

    @property
    def failed(self) -> bool:
        return any(self.outcomes.values())

    def _wanted(self, condition: str | None) -> bool:
        known = {None: not self.failed, ALWAYS: True, OUR_OWN: not self.stranger}
        return known[condition]

    def _step(self, step: Any, number: int) -> None:
        if "uses" in step:
            self._use(step["uses"].partition("@")[0], step.get("with", {}), number)
            return
        env = {name: self._value(text) for name, text in step.get("env", {}).items()}
        env |= {
            "GITHUB_API_URL": self.forge.url,
            "GITHUB_REPOSITORY": "someone/cloud",
            "GITHUB_SHA": "0" * 40,
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "RUNNER_TEMP": str(self.machine.temp),
        }
        done = self.machine.run(step["run"], self.place, **env)
        self.outcomes[step["name"]] = done.returncode
        self.log += done.stdout

    def _use(self, action: str, given: Any, number: int) -> None:
        if action == "actions/upload-artifact":
            assert given["path"] == "${{ runner.temp }}/report.html"
            return
        assert action == "actions/checkout"
        assert given["persist-credentials"] is False
        if given.get("ref"):
            if (self.scene.bare / "refs" / "heads" / given["ref"]).exists():
                (self.place / given["path"]).symlink_to(self.scene.cloned(f"{number}-more", given["ref"], 1))
            return
        self.scene.cloned(str(number), self.ref, given["fetch-depth"])

    def _value(self, text: str) -> str:
        known = {
            "vars.CLOUDSYNC": "cloudsync==1",
            "github.token": self.forge.comments_by,
            "github.event.pull_request.number": "7",
            "secrets.CLOUDSYNC_SSH_KEY": self.scene.key.read_text(),
            "vars.CLOUDSYNC_KNOWN_HOSTS": "kvm-1 ssh-ed25519 AAAA",
            "vars.CLOUDSYNC_MAX_DISRUPTION || 'restart'": "restart",
            "inputs.allow_destroy": self.inputs.get("allow_destroy", ""),
        }
        return known[text.removeprefix("${{ ").removesuffix(" }}")]


def merged(scene: Scene, branch: str) -> str:
    """The commit that GitHub makes of a pull request to try it, by its ref."""
    desk = scene.desk
    desk.git("checkout", "-q", "--detach", "main")
    desk.git("merge", "-q", "--no-ff", "-m", "try", branch)
    desk.git("push", "-q", "-f", "origin", "HEAD:refs/pull/7/merge")
    desk.git("checkout", "-q", "main")
    return "refs/pull/7/merge"


def review(scene: Scene, forge: Forge, text: str, stranger: bool = False) -> Run:
    """A pull request with that spec, or its next push."""
    scene.push("change", text)
    return Run(scene, forge, "review", merged(scene, "change"), stranger)


def apply(scene: Scene, forge: Forge, **inputs: str) -> Run:
    return Run(scene, forge, "apply", "refs/heads/main", inputs=inputs)
