"""What a change of the spec means, for scripts, as schemas/diff.schema.json describes it: a plan's shapes, without what
only hosts could say. Against a snapshot it is a plan, as schemas/plan.schema.json does, and what was compared."""

from typing import Any

from cloudsync.model.difference import Difference, Side
from cloudsync.model.document import Applied
from cloudsync.render.plan_json import document as plan_document

FORMAT_VERSION = 1
_SHARED = ("changes", "exposure", "expectations", "warnings", "rolls", "mass", "held", "notes", "summary")


def document(found: Difference) -> dict[str, Any]:
    """Plain values, ready for json.dumps."""
    plan = plan_document(found.plan)
    compared = {"base": _side(found.base), "head": _side(found.head), "spec": found.fate.value}
    renames = [{"address": f"instance.{one.name}", "was": one.was} for one in found.alike]
    if found.snapshot is not None:
        return {**plan, **compared, "renames": renames, "snapshot": _snapshot(found.snapshot)}
    return {
        "format_version": FORMAT_VERSION,
        "cloud": found.plan.cloud,
        **compared,
        "spec_digest": found.plan.spec_digest,
        **{name: plan[name] for name in _SHARED},
        "renames": renames,
    }


def _snapshot(last: Applied) -> dict[str, Any]:
    return {"commit": last.commit or None, "dirty": last.dirty, "at": last.at or None}


def _side(one: Side) -> dict[str, Any]:
    return {"commit": one.commit or None, "file": one.file}
