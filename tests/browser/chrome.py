"""A Chromium without a screen, spoken to by its own debugging protocol over a pipe: no port, no driver, no package."""

import json
import os
import select
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE = 120.0
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--remote-debugging-pipe"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-default-browser-check"),
)

Answer = dict[str, Any]


@dataclass
class Chrome:
    """One tab. `seen` are the events that came meanwhile."""

    to: int
    back: int
    seen: list[Answer] = field(default_factory=list)
    session: str = ""
    _number: int = 0
    _rest: bytes = b""

    def ask(self, method: str, **given: object) -> Answer:
        """What it answers; AssertionError when it refuses."""
        self._number += 1
        message: Answer = {"id": self._number, "method": method, "params": given}
        if self.session:
            message["sessionId"] = self.session
        data = memoryview(json.dumps(message).encode() + b"\0")
        while data:
            data = data[os.write(self.to, data) :]
        return self._until(lambda one: one.get("id") == self._number)

    def open(self, file: Path) -> None:
        """Show the file, and wait until it is whole."""
        self.seen.clear()
        self.ask("Page.navigate", url=file.as_uri())
        if not any(one["method"] == "Page.loadEventFired" for one in self.seen):
            self._until(lambda one: one.get("method") == "Page.loadEventFired")

    def run(self, script: str) -> Any:
        """The value of an expression, which may be a promise of one."""
        found = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def look(self, wide: int, high: int, dark: bool = False, paper: bool = False) -> None:
        """As if the window were so large, at night, or printed."""
        self.ask("Emulation.setDeviceMetricsOverride", width=wide, height=high, deviceScaleFactor=1, mobile=wide < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", media="print" if paper else "screen", features=[scheme])

    def shoot(self, to: Path) -> None:
        """All of the page, for a person to look at."""
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(b64decode(self.ask("Page.captureScreenshot", captureBeyondViewport=True)["data"]))

    def print(self, to: Path) -> None:
        to.write_bytes(b64decode(self.ask("Page.printToPDF", preferCSSPageSize=True)["data"]))

    def _until(self, wanted: Any) -> Answer:
        while True:
            while b"\0" in self._rest:
                line, _, self._rest = self._rest.partition(b"\0")
                found: Answer = json.loads(line)
                if wanted(found):
                    assert "error" not in found, found
                    result: Answer = found.get("result", found)
                    return result
                if "method" in found:
                    self.seen.append(found)
            ready, _, _ = select.select([self.back], [], [], PATIENCE)
            assert ready, "Chromium says nothing any more"
            data = os.read(self.back, 1 << 20)
            assert data, "Chromium is gone"
            self._rest += data


@contextmanager
def chrome(profile: Path) -> Iterator[Chrome]:
    """Its third and fourth files are the pipes."""
    there, to = os.pipe()
    back, here = os.pipe()
    command = f'exec chromium "$@" 3<&{there} 4>&{here}'
    arguments = ["bash", "-c", command, "chromium", *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    log = (profile.parent / "chromium.log").open("wb")
    with log, subprocess.Popen(arguments, pass_fds=(there, here), stderr=log, stdout=log) as process:
        os.close(there)
        os.close(here)
        try:
            found = Chrome(to, back)
            target = found.ask("Target.createTarget", url="about:blank")["targetId"]
            found.session = found.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Network", "Log", "Runtime", "Accessibility"):
                found.ask(f"{domain}.enable")
            yield found
        finally:
            os.close(to)
            os.close(back)
            process.terminate()
