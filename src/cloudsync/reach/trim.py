"""A picture of a large cloud -> what of it a page has room for: what changes, who is party to that, and then the rest.

`hidden` counts what is left out. plan_html.py asks.
"""

from dataclasses import replace

from cloudsync.reach.picture import Flow, Mark, Node, Picture


def trim(found: Picture, nodes: int, flows: int) -> Picture:
    """At most so many of each, in the order that they had."""
    ranked = sorted(found.flows, key=lambda flow: flow.mark is Mark.SAME)[:flows]
    touched = _ends([flow for flow in ranked if flow.mark is not Mark.SAME])
    joined = _ends(ranked)

    def rank(node: Node) -> int:
        if node.mark is not Mark.SAME or node.id in touched:
            return 0
        return 1 if node.id in joined else 2

    kept = {node.id for node in sorted(found.nodes, key=rank)[:nodes]}
    shown = tuple(node for node in found.nodes if node.id in kept)
    drawn = [one for flow in ranked if (one := _between(flow, kept))]
    left = sum(len(node.names) for node in found.nodes if node.id not in kept and node.networks)
    first = {node.networks[0] for node in shown if node.networks}
    networks = {name: subnet for name, subnet in found.networks.items() if name in first}
    return replace(
        found,
        nodes=shown,
        flows=tuple(drawn),
        networks=found.networks if len(found.networks) <= nodes and not left else networks,
        hidden=(left, len(found.flows) - len(drawn)),
    )


def _ends(flows: list[Flow]) -> set[str]:
    return {name for flow in flows for name in (*flow.sources, *flow.targets)}


def _between(flow: Flow, kept: set[str]) -> Flow | None:
    sources = tuple(name for name in flow.sources if name in kept)
    targets = tuple(name for name in flow.targets if name in kept)
    return replace(flow, sources=sources, targets=targets) if sources and targets else None
