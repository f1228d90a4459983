"""`make demo`: image, daemons, spec, apply, proofs. Leaves the cloud up; `demo.clean` takes it back. Needs root."""

import argparse
import os
import sys
from pathlib import Path
from time import monotonic

from cloudsync.cli.keystore import private_key_path
from demo import outside
from demo.places import CLOUDSYNC, FOLDER, RECORD, SPEC, TOP, Failure, phase, read, run
from demo.proofs import Proof, gather
from demo.spec import disk_for, own_image, write

PATIENCE = "1200"
"""Seconds that a guest has to boot: a slow machine under software emulation takes minutes."""

_WRITTEN = FOLDER / "written.yaml"
"""The spec as the demo wrote it last."""


def main() -> int:
    """0 when every claim was proved."""
    options = _options()
    began = monotonic()
    try:
        proofs = _demonstrate(options.image, options.login)
    except Failure as error:
        sys.stdout.flush()
        sys.stderr.write(f"error: {error}\n" + (f"hint: {error.hint}\n" if error.hint else ""))
        return 1
    _show(proofs, monotonic() - began)
    return 0 if all(proof.holds for proof in proofs) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--image", help="a cloud image: a path or an http(s) address")
    parser.add_argument("--login", default="debian", help="the user that cloud-init makes in it")
    return parser.parse_args()


def _demonstrate(source: str | None, login: str) -> list[Proof]:
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with phase("image"):
        image = own_image(source) if source else Path(read(TOP / "demo" / "build-image"))
    with phase("libvirt and the agent"):
        run(TOP / "setup" / "daemons", "start", RECORD)
    with phase(f"spec in {SPEC.relative_to(TOP)}, a key of its own"):
        _keep_theirs()
        write(SPEC, image, _public_key(), login, disk_for(image))
        _WRITTEN.write_bytes(SPEC.read_bytes())
        run(CLOUDSYNC, "-f", SPEC, "validate")
    with phase("cloudsync apply, and the guests' boots"):
        _note_logs()
        _apply()
    with phase("proofs"):
        outside.make("10.20.0.0/24")
        return gather(SPEC)


def _keep_theirs() -> None:
    """A spec that somebody has changed since the demo wrote it is theirs."""
    if not SPEC.exists() or (_WRITTEN.exists() and _WRITTEN.read_bytes() == SPEC.read_bytes()):
        return
    kept = SPEC.with_name("yours.yaml")
    SPEC.replace(kept)
    sys.stdout.write(f"   your changed {SPEC.name} is kept: {kept.relative_to(TOP)}\n")


def _apply() -> None:
    try:
        run(CLOUDSYNC, "-f", SPEC, "apply", "-y", "--wait", "--timeout", PATIENCE)
    except Failure as error:
        raise Failure(
            str(error), "`make demo-clean` takes all away that is there; then `make demo` begins anew"
        ) from None


def _note_logs() -> None:
    """libvirt keeps a log of each machine for ever; those that are not there yet will be the demo's."""
    logs = [Path("/var/log/libvirt/qemu") / f"{name}.log" for name in ("web", "db")]
    with RECORD.open("a", encoding="utf-8") as record:
        record.writelines(f"file {log}\n" for log in logs if not log.exists())


def _public_key() -> str:
    """Of the key that `cloudsync ssh` looks for; one that an earlier demo made is used again."""
    private = private_key_path("demo", "demo")
    public = private.with_name(private.name + ".pub")
    if not private.exists() or not public.exists():
        private.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        private.unlink(missing_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "demo", "-f", private)
        (FOLDER / "key").write_text(f"{private}\n")
    return public.read_text(encoding="utf-8")


def _show(proofs: list[Proof], seconds: float) -> None:
    width = max(len(proof.claim) for proof in proofs)
    lines = [f"  {'✓' if proof.holds else '✗'} {proof.claim:<{width}}  {proof.seen}" for proof in proofs]
    held = sum(proof.holds for proof in proofs)
    spec = SPEC.relative_to(TOP)
    lines += [
        "  - left out: ansible-pull. ansible-core and git would add 60 MB to the image",
        "",
        f"{held} of {len(proofs)} proved, {seconds:.0f} s in all. The cloud stays up; `make demo-clean` removes it.",
        "Try next:",
        f"  .venv/bin/cloudsync -f {spec} status",
        f"  .venv/bin/cloudsync -f {spec} ssh web",
        f"  sed -i 's/ports: 80,/ports: [80, 8080],/' {spec} && .venv/bin/cloudsync -f {spec} plan",
    ]
    sys.stdout.write("\n".join(["", *lines, ""]))


if __name__ == "__main__":
    raise SystemExit(main())
