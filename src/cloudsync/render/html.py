"""Markup in which whatever is not markup already is text. plan_html.py builds its page of it.

It is well-formed XML too, so that any strict parser can tell whether something in it is not as it should be.
"""

from html import escape

from cloudsync.spec.words import printable

_EMPTY = ("meta",)
XHTML = "http://www.w3.org/1999/xhtml"


class Html(str):
    """Text that is markup: `tag` made it, or a constant of ours holds it."""

    __slots__ = ()


def tag(name: str, /, *inside: str, **attributes: str) -> Html:
    """An element. `class_` is the attribute class, `aria_label` is aria-label."""
    given = "".join(f' {key.rstrip("_").replace("_", "-")}="{_text(value)}"' for key, value in attributes.items())
    body = "".join(_text(one) for one in inside)
    return Html(f"<{name}{given} />" if name in _EMPTY else f"<{name}{given}>{body}</{name}>")


def joined(*parts: str, by: str = "") -> Html:
    """All of them, one after the other."""
    return Html(by.join(_text(one) for one in parts))


def _text(value: str) -> str:
    return value if isinstance(value, Html) else escape(printable(value))
