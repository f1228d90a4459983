"""Facts about a host into checks, in the order in which one would mend them (pure)."""

import re
from collections.abc import Iterator

from cloudsync.agent import kvm
from cloudsync.agent.checkup.facts import PROGRAMS, Facts
from cloudsync.model.checkup import Check, Verdict
from cloudsync.model.obstacle import Obstacle
from cloudsync.model.size import size

_FORWARD, _MARKED = "net/ipv4/ip_forward", "net/ipv4/conf/all/src_valid_mark"
_RP_FILTER = re.compile(r"net/ipv4/conf/([^/]+)/rp_filter")
_FOREIGN = ("ManageForeignRoutingPolicyRules", "ManageForeignRoutes")
_ASSIGNED = re.compile(r"^[ \t]*(\w+)[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_NO = ("no", "false", "off", "0", "n", "f")
_LOW, _FULL = 0.1, 0.02
"""Parts of the pool's file system."""


def checks(facts: Facts) -> tuple[Check, ...]:
    """Everything that was looked at, what is well too."""
    return (
        *_programs(facts),
        *_rules(facts),
        _forwarding(facts),
        _reverse_path(facts),
        *_others(facts),
        _flush(facts),
        *_networkd(facts),
        _kvm(facts),
        _pool(facts),
        _clock(facts),
        *_denials(facts),
    )


def _ok(name: str, message: str) -> Check:
    return Check(name=name, verdict=Verdict.OK, message=message)


def _warning(name: str, message: str, hint: str = "", fix: tuple[str, ...] = ()) -> Check:
    return Check(name=name, verdict=Verdict.WARNING, message=message, hint=hint, fix=fix)


def _problem(name: str, message: str, hint: str = "", fix: tuple[str, ...] = ()) -> Check:
    return Check(name=name, verdict=Verdict.PROBLEM, message=message, hint=hint, fix=fix)


def _programs(facts: Facts) -> Iterator[Check]:
    for name, (package, oldest) in PROGRAMS.items():
        version = facts.programs.get(name)
        install = (f"apt-get install {package}",)
        if version is None:
            yield _problem(name, "it is not there", fix=install)
        elif numbers(version) < oldest:
            wanted = ".".join(map(str, oldest))
            yield _problem(name, f"it is version {version}; {wanted} or newer is needed", fix=install)
        else:
            yield _ok(name, version)


def numbers(version: str) -> tuple[int, ...]:
    """Of a version, up to three."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _rules(facts: Facts) -> Iterator[Check]:
    if facts.document is None:
        yield _ok("rules", "nothing has been applied to this host yet")
    elif not facts.drift:
        yield _ok("rules", f"as generation {facts.document.generation} of cloud {facts.document.cloud} wants them")
    for one in facts.drift:
        yield _problem("rules", f"{one.address}: {one.message}", f"{one.remedy}: cloudsync apply")


def _forwarding(facts: Facts) -> Check:
    if facts.settings.get(_FORWARD) == 1:
        return _ok("forwarding", "on")
    if facts.document is None:
        return _ok("forwarding", "off until something is applied")
    return _problem("forwarding", "it is off: instances reach nobody", fix=("sysctl -w net.ipv4.ip_forward=1",))


def _reverse_path(facts: Facts) -> Check:
    filtered = [found[1] for name, value in facts.settings.items() if value and (found := _RP_FILTER.fullmatch(name))]
    if not filtered or facts.settings.get(_MARKED) == 1:
        return _ok("rp_filter", "it looks at our mark" if filtered else "off")
    if facts.document is None:
        return _ok("rp_filter", "the first apply makes it look at our mark")
    return _problem(
        "rp_filter",
        f"reverse path filtering ({', '.join(sorted(filtered)[:4])}) drops what instances send: it ignores our mark",
        fix=("sysctl -w net.ipv4.conf.all.src_valid_mark=1",),
    )


def _others(facts: Facts) -> Iterator[Check]:
    if not facts.sight.obstacles and not facts.sight.unread:
        there = " and ".join(facts.active)
        message = (
            f"{there}: on, and in nobody's way"
            if there
            else "no rule of others for IPv4 or ARP stops or diverts guests' packets as such"
        )
        yield _ok("other firewalls", message)
    for one in facts.sight.obstacles:
        yield _obstacle(one)
    for line in facts.sight.unread:
        yield _warning("other firewalls", line)


def _obstacle(one: Obstacle) -> Check:
    return _problem("other firewalls", f"{one} ({'; '.join(one.where)})", one.note, one.fix)


def _flush(facts: Facts) -> Check:
    if not facts.flushes:
        return _ok("nftables.service", "not enabled")
    return _warning(
        "nftables.service",
        "it is enabled: each stop or reload of it removes all rules, ours too, and cuts instances off until an apply",
        "take `flush ruleset` out of /etc/nftables.conf and do not stop it; if you need nothing that is in there: "
        "systemctl disable nftables.service",
    )


def _networkd(facts: Facts) -> Iterator[Check]:
    if facts.networkd is None:
        return
    said = dict(_ASSIGNED.findall(facts.networkd))
    lacking = [key for key in _FOREIGN if said.get(key, "").lower() not in _NO]
    if not lacking:
        yield _ok("systemd-networkd", "it leaves rules and routes of others alone")
        return
    lines = "".join(f"{key}=no\\n" for key in _FOREIGN)
    yield _problem(
        "systemd-networkd",
        f"when it starts anew it removes rules and routes of others, ours too: it has no {' and no '.join(lacking)}=no",
        "what it has removed comes back with the next apply",
        (
            "mkdir -p /etc/systemd/networkd.conf.d",
            f"sh -c 'printf \"[Network]\\n{lines}\" > /etc/systemd/networkd.conf.d/90-cloudsync.conf'",
            "systemctl restart systemd-networkd",
        ),
    )


def _kvm(facts: Facts) -> Check:
    usable, reason = facts.kvm
    if usable:
        return _ok("kvm", reason)
    if reason == kvm.SHUT:
        return _problem("kvm", reason, "guests are emulated, or fail, until it may", kvm.OPEN)
    hint = "is virtualisation on in the firmware, or nested virtualisation in the host of this machine?"
    return _warning("kvm", f"instances are emulated, which is slow: {reason}", hint)


def _pool(facts: Facts) -> Check:
    share = facts.pool_free / facts.pool_size if facts.pool_size else 0.0
    message = f"{size(facts.pool_free)} of {size(facts.pool_size)} free in {facts.pool}"
    hint = "instances whose disk cannot grow are paused: make room, or the file system bigger"
    if share < _FULL:
        return _problem("pool", message, hint)
    return _warning("pool", message, hint) if share < _LOW else _ok("pool", message)


def _clock(facts: Facts) -> Check:
    if facts.synchronized is False:
        return _warning(
            "clock", "nothing keeps it right", "guests take the host's", ("apt-get install systemd-timesyncd",)
        )
    return _ok("clock", "kept right" if facts.synchronized else "the kernel does not say whether it is kept right")


def _denials(facts: Facts) -> Iterator[Check]:
    if facts.denials:
        yield _problem("log_denied", facts.denials, "see the agent's log")
