"""What the demo claims, each shown by doing it on the running guests. `run` prints the table."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from demo import outside, spoof
from demo.guest import Guest
from demo.places import CLOUDSYNC, Failure


@dataclass(frozen=True, slots=True)
class Proof:
    """A claim, whether it holds, and what was seen."""

    claim: str
    holds: bool
    seen: str


Seen = tuple[bool, str]


def gather(spec: Path) -> list[Proof]:
    """Every claim in turn; one that cannot be looked at does not hold."""
    web, db = Guest(spec, "web"), Guest(spec, "db")
    claims: dict[str, Callable[[], Seen]] = {
        "ssh with the host keys the guests reported": lambda: _login(web, db),
        "hostnames and their own long names": lambda: _hostnames(web, db),
        "names of other guests resolve": lambda: _names(web, db),
        "the user-data script ran in web": lambda: _script(web),
        "write_files and runcmd of the #cloud-config ran in db": lambda: _config(db),
        "web reaches db on 5432 and not on 5433": lambda: _between(web, db),
        "outside reaches web on 80, not on 22 or 8080": lambda: _from_outside(web),
        "outside does not reach db at all": lambda: _nobody(db),
        "packets with a forged source do not leave": lambda: _forged(web, db),
        "plan again: nothing to do": lambda: _settled(spec),
    }
    return [_looked_at(claim, look) for claim, look in claims.items()]


def _looked_at(claim: str, look: Callable[[], Seen]) -> Proof:
    try:
        return Proof(claim, *look())
    except (Failure, subprocess.TimeoutExpired) as error:
        return Proof(claim, False, str(error))


def _login(web: Guest, db: Guest) -> Seen:
    who = [guest.shell("whoami") for guest in (web, db)]
    keys = web.shell("cut -d' ' -f1 ~/.ssh/authorized_keys | sort -u | tr '\\n' ' '")
    return "root" not in who, f"{who[0]}@web, {who[1]}@db; key {keys}"


def _hostnames(web: Guest, db: Guest) -> Seen:
    names = [guest.shell("echo $(hostname) $(hostname -f)") for guest in (web, db)]
    return names == ["web web.demo.internal", "db db.demo.internal"], "; ".join(names)


def _names(web: Guest, db: Guest) -> Seen:
    short, long = (web.shell(f"getent hosts {name}").split() for name in ("db", "db.demo.internal"))
    return short[0] == long[0] == db.address, " ".join(short)


def _script(web: Guest) -> Seen:
    page = web.shell("cat /srv/www/index.html")
    return page == "hello from web.demo.internal", page


def _config(db: Guest) -> Seen:
    answer, unit = db.shell("cat /srv/db/answer; systemctl is-active db@5432").split()
    return ((answer, unit) == ("42", "active"), f"file says {answer}, unit is {unit}")


def _between(web: Guest, db: Guest) -> Seen:
    allowed, other = web.connects("db", 5432), web.connects("db", 5433)
    listens = db.connects("127.0.0.1", 5433)
    seen = f"5432 {_word(allowed)}, 5433 {_word(other)} (db itself: {_word(listens)})"
    return allowed and listens and not other, seen


def _from_outside(web: Guest) -> Seen:
    page = outside.fetch(web.address, 80, 20)
    others = {port: bool(outside.fetch(web.address, port)) for port in (22, 8080)}
    listens = web.connects("127.0.0.1", 8080)
    seen = f"80 {_word('hello from web' in page)}, " + ", ".join(f"{port} {_word(it)}" for port, it in others.items())
    holds = "hello from web" in page and listens and not any(others.values())
    return holds, seen


def _nobody(db: Guest) -> Seen:
    ports = {port: bool(outside.fetch(db.address, port)) for port in (22, 5432, 5433)}
    seen = ", ".join(f"{port} {_word(it)}" for port, it in ports.items())
    return not any(ports.values()), seen


def _forged(web: Guest, db: Guest) -> Seen:
    heard = spoof.heard(web, db.address)
    holds = [line.split()[0] for line in heard] == ["honest"]
    return holds, "heard outside: " + ", ".join(heard)


def _settled(spec: Path) -> Seen:
    command = [str(CLOUDSYNC), "-f", str(spec), "plan", "--detailed-exitcode"]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    lines = done.stdout.strip().splitlines() or [done.stderr.strip()]
    drifted = [line.strip() for line in lines if line.startswith("  !")]
    return done.returncode == 0, "; ".join([f"{lines[-1]} (exit code {done.returncode})", *drifted])


def _word(open_: bool) -> str:
    return "open" if open_ else "closed"
