"""What was made of another version of a spec: what both say is made once, and is one object in both, so that comparing
them is quick. `versions` hands it to `load`.
"""

from collections.abc import Mapping
from typing import TypeVar

from cloudsync.model.cloud import Cloud, Wanted
from cloudsync.model.dataclass import dataclass
from cloudsync.spec.document import Document
from cloudsync.spec.draft import Draft
from cloudsync.spec.members import default_network, members

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Former:
    """A version without problems."""

    document: Document
    draft: Draft
    cloud: Cloud

    def kept(self, models: Mapping[str, object], before: Mapping[str, object], made: Mapping[str, T]) -> dict[str, T]:
        """Of what was `made` of the models `before`, that of which the model is the same one still."""
        return {name: made[name] for name, one in models.items() if before.get(name) is one}

    def instances(self, draft: Draft, user_data: Mapping[str, bytes]) -> dict[str, list[Wanted]]:
        """By key, where all that an instance is made of is the same."""
        if default_network(draft.networks) != default_network(self.draft.networks):
            return {}
        flavors = {name for name, one in draft.flavors.items() if self.draft.flavors.get(name) == one}
        found = {}
        for base, instance in draft.instances.items():
            if self.draft.instances.get(base) is instance and instance.flavor in flavors:
                wanted = [self.cloud.instances[name] for name in members(base, instance)]
                if all(one.user_data == user_data.get(base) for one in wanted):
                    found[base] = wanted
        return found
