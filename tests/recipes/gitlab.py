"""A pipeline of GitLab's, each job run as its runner would: before_script and script in one shell."""

from dataclasses import dataclass, field
from subprocess import CompletedProcess
from typing import Any

from ruamel.yaml import YAML

from tests.house.tree import TOP
from tests.recipes.forge import Forge
from tests.recipes.repository import Machine, Scene

RECIPE = TOP / "recipes" / "gitlab" / "cloudsync.yaml"


def pipeline() -> Any:
    return YAML(typ="safe").load(RECIPE)


@dataclass
class Run:
    """One job's, on a commit. `given` are variables of the project, as far as the job gets them."""

    scene: Scene
    forge: Forge
    job: str
    commit: str
    given: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        number = sum(1 for _ in self.scene.folder.glob("jobs/*"))
        self.machine = Machine.new(self.scene.folder / "machines" / str(number))
        self.place = self.scene.cloned(str(number), self.commit)
        found = pipeline()
        job = {**found[found[self.job]["extends"]], **found[self.job]}
        known_hosts = self.scene.folder / "known_hosts"
        known_hosts.write_text("kvm-1 ssh-ed25519 AAAA\n")
        env = {
            "CI_API_V4_URL": self.forge.url,
            "CI_COMMIT_SHA": self.commit,
            "CI_JOB_TOKEN": self.forge.files_by,
            "CI_PROJECT_ID": "5",
            "CLOUDSYNC": "cloudsync==1",
            "CLOUDSYNC_KNOWN_HOSTS": str(known_hosts),
            **self.given,
        }
        script = "\n".join((*job["before_script"], *job["script"]))
        self.done: CompletedProcess[str] = self.machine.run(script, self.place, **env)

    @property
    def log(self) -> str:
        return self.done.stdout


def review(scene: Scene, forge: Forge, text: str, stranger: bool = False) -> Run:
    """A merge request with that spec, or its next push."""
    head = scene.push("change", text)
    base = scene.desk.git("merge-base", "main", "change")
    given = {
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        "CI_MERGE_REQUEST_PROJECT_ID": "5",
        "CI_MERGE_REQUEST_IID": "7",
        **({} if stranger else {"CLOUDSYNC_TOKEN": forge.comments_by}),
    }
    return Run(scene, forge, "review", head, given)


def apply(scene: Scene, forge: Forge, **given: str) -> Run:
    head = scene.desk.git("rev-parse", "main")
    return Run(scene, forge, "apply", head, {"CLOUDSYNC_SSH_KEY": str(scene.key), **given})
