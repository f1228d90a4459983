"""Texts of specs and of what becomes of them under somebody's hands, with all that makes lines of YAML mean another
thing in another place."""

from collections.abc import Sequence
from random import Random

NAMES = ("web", "db", "a", "b", "c", "d1", "x.y")
HOSTILE = (
    *(
        "  web: {image: a,",
        "  db: 'x",
        "  c: y'",
        "    k: |",
        "      text",
        "  y: 2}",
        "\tz",
        "  \tq: 1",
        "# c",
        "  # c",
    ),
    *(
        "      # c",
        "",
        "   ",
        "  <<: {web: 1}",
        "  &a b: c",
        "  x: *a",
        "  ? web",
        "  : 1",
        "  web:",
        "  - a",
        "    - a",
    ),
    *("hosts:", "instances:", "images: {", "}", "---", "...", "%YAML 1.2", "  web: 0", "  'web': 1", '  "db": 2'),
    *("  web : 3", "    user_data: >-", "        folded", "      deep: 1", "   odd: 1", " one: 1", "{a: qemu:///x}"),
    *("  a: {uri: qemu:///system}", "    l: [1,", "    2]", '  "', '    t: "a', '    b"', "!!str x: 1", "  q: !!str 1"),
    *("  <<:", "    m: |+", "  db: a\\", "    '''", "  zz: |2", "  a b: 1", "  web:1", "  e: [", "  ]", "  é: ü", "\r"),
)
VALUES = (
    ("{name}: {{a: 1, b: 'x', c: [1, 2]}}",),
    ("{name}:", "  image: a", "  flavor: f"),
    ("{name}:", "  image: b", "  # why", "", "  flavor: f"),
    ("{name}: 1.0",),
    ("{name}: a # c",),
    ("{name}:", "  d: |+", "      t: 1", "", "      # u"),
    ("{name}:", "  d: >-", "    t", "     u"),
    ('{name}: "a', "b", '  c: d"'),
    ("{name}: {{a: 1,", "b: 2}}"),
    ("{name}:", "  - a", "  - b: 1", "    c: 2"),
    ("{name}: {{uri: qemu:///system}}",),
    ("{name}: some", "  text", ""),
    ("{name}:", "  x: |", "", "  y: 1"),
)


def lines(chance: Random) -> list[str]:
    found = ["version: 1"][: chance.randrange(2)]
    for section in chance.sample(("hosts", "images", "instances"), chance.randint(1, 3)):
        indent = " " * chance.choice((2, 2, 2, 1, 4))
        found.append(f"{section}:{chance.choice(('', ' # c'))}")
        for name in chance.sample(NAMES, chance.randint(1, 6)):
            found += [(indent + line).format(name=name) for line in chance.choice(VALUES)]
            found += [chance.choice(("", "  # note", "# note"))] if chance.random() < 0.1 else []
    return found


def edited(chance: Random, before: Sequence[str], times: int = 3) -> list[str]:
    """Up to so many times: a line comes, goes, is another or is indented, lines are there twice or elsewhere."""
    found = list(before)
    for _ in range(chance.randint(1, times)):
        at, end = sorted(chance.randrange(len(found) + 1) for _ in range(2))
        kind = chance.randrange(7)
        if kind == 0:
            found.insert(at, chance.choice(HOSTILE))
        elif kind == 1:
            del found[at : at + 1]
        elif kind == 2:
            found[at : at + 1] = [chance.choice(HOSTILE)]
        elif kind == 3:
            found[at : at + 1] = [one.replace("1", "7").replace("a", "e") for one in found[at : at + 1]]
        elif kind == 4:
            found[at : at + 1] = [" " * chance.randint(1, 2) + one for one in found[at : at + 1]]
        elif kind == 5:
            found[at:at] = found[at:end]
        else:
            found = [*found[:at], *found[at + 3 :], *found[at : at + 3]]
    return found
