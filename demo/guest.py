"""What is asked of the guests, each by `cloudsync ssh`: the host keys are those that the guest itself reported."""

import json
import subprocess
from pathlib import Path

from demo.places import CLOUDSYNC, Failure, read


class Guest:
    """One instance of the spec; `address` is where its NIC is."""

    def __init__(self, spec: Path, name: str) -> None:
        self.name = name
        self.spec = spec
        status = json.loads(read(CLOUDSYNC, "-f", spec, "status", "--format", "json"))
        mine = [instance for instance in status["instances"] if instance["name"] == name]
        if not mine:
            raise Failure(f"status knows no instance {name}")
        self.address = str(mine[0]["addresses"][0])

    def try_shell(self, script: str, seconds: int = 60) -> tuple[int, str]:
        """Exit code and output of a shell script that is sent over standard input."""
        command = [str(CLOUDSYNC), "-f", str(self.spec), "ssh", self.name, "--", "bash -s"]
        done = subprocess.run(command, input=script, text=True, capture_output=True, timeout=seconds, check=False)
        return done.returncode, (done.stdout + (done.stderr if done.returncode else "")).strip()

    def shell(self, script: str) -> str:
        """Its output; Failure when it fails."""
        code, output = self.try_shell(script)
        if code:
            raise Failure(f"in {self.name}: {script.splitlines()[0]} exited with {code}\n{output}")
        return output

    def connects(self, host: str, port: int) -> bool:
        """Whether a TCP connection from the guest comes about within 3 s."""
        return self.try_shell(f"timeout 3 bash -c '</dev/tcp/{host}/{port}' 2>/dev/null")[0] == 0
