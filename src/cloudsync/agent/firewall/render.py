"""nft commands as text (pure): one command a line, each complete in itself, so that any selection is a transaction."""

from collections.abc import Iterable, Iterator, Mapping

from cloudsync.agent.firewall.ruleset import TABLE, Chain, Container, Rule, Ruleset, Table


def render(ruleset: Ruleset) -> str:
    """The script that makes `ruleset` where no table of ours is; loading it twice is an error."""
    return "".join(f"{line}\n" for family, table in ruleset.tables.items() for line in whole_table(family, table))


def whole_table(family: str, table: Table) -> Iterator[str]:
    """Verdict maps name chains, so their elements come last."""
    yield add_table(family)
    for name, container in table.containers.items():
        yield add_container(family, name, container)
    for name, chain in table.chains.items():
        yield add_chain(family, name, chain)
    for name, chain in table.chains.items():
        yield from add_rules(family, name, chain.rules)
    for name, container in table.containers.items():
        yield from add_elements(family, name, container.elements)


def add_table(family: str) -> str:
    return f"add table {family} {TABLE}"


def add_container(family: str, name: str, container: Container) -> str:
    kind = " . ".join(container.key) + (f" : {container.value}" if container.value else "")
    flags = f" flags {','.join(container.flags)};" if container.flags else ""
    comment = f' comment "{container.comment}";' if container.comment else ""
    return f"add {container.kind} {family} {TABLE} {name} {{ type {kind};{flags}{comment} }}"


def add_chain(family: str, name: str, chain: Chain) -> str:
    base = chain.base
    if base is None:
        return f"add chain {family} {TABLE} {name}"
    settings = f"type {base.kind} hook {base.hook} priority {base.priority}; policy {base.policy};"
    return f"add chain {family} {TABLE} {name} {{ {settings} }}"


def add_rules(family: str, name: str, rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        yield f"add rule {family} {TABLE} {name} {rule}"


def add_elements(family: str, name: str, elements: Mapping[str, str]) -> Iterator[str]:
    """Nothing for no elements: nft refuses an empty list."""
    if elements:
        pairs = any(elements.values())
        shown = (f"{key} : {value}" for key, value in elements.items()) if pairs else elements
        yield f"add element {family} {TABLE} {name} {{ {','.join(sorted(shown))} }}"


def delete_elements(family: str, name: str, keys: Iterable[str]) -> Iterator[str]:
    shown = ",".join(sorted(keys))
    if shown:
        yield f"delete element {family} {TABLE} {name} {{ {shown} }}"


def flush(family: str, kind: str, name: str) -> str:
    """`kind` is chain, set or map."""
    return f"flush {kind} {family} {TABLE} {name}"


def delete(family: str, kind: str, name: str) -> str:
    return f"delete {kind} {family} {TABLE} {name}"
