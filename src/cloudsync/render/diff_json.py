"""What a change of the spec means, for scripts, as schemas/diff.schema.json describes it: a plan's shapes, without what
only hosts could say."""

from typing import Any

from cloudsync.model.difference import Difference, Side
from cloudsync.render.plan_json import document as plan_document

FORMAT_VERSION = 1
_SHARED = ("changes", "exposure", "expectations", "warnings", "rolls", "mass", "held", "notes", "summary")


def document(found: Difference) -> dict[str, Any]:
    """Plain values, ready for json.dumps."""
    plan = plan_document(found.plan)
    return {
        "format_version": FORMAT_VERSION,
        "cloud": found.plan.cloud,
        "base": _side(found.base),
        "head": _side(found.head),
        "spec": found.fate.value,
        "spec_digest": found.plan.spec_digest,
        **{name: plan[name] for name in _SHARED},
        "renames": [{"address": f"instance.{one.name}", "was": one.was} for one in found.alike],
    }


def _side(one: Side) -> dict[str, Any]:
    return {"commit": one.commit or None, "file": one.file}
