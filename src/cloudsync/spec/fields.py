"""The field types of the spec's models: text to value, with a pattern and examples for editors. Used by `models`."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from cloudsync.spec import durations, names, rules, units

WRITTEN = "written"


def refuse(message: str, hint: str) -> PydanticCustomError:
    """An error whose words are shown as they are."""
    return PydanticCustomError(WRITTEN, "{message}", {"message": message, "hint": hint})


def _text_or_number(what: str, example: str, parse: Callable[[Any], Any]) -> Callable[[object], Any]:
    def validate(value: object) -> Any:
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise refuse(f"{what} is written as text or a whole number", f"for example {example}")
        try:
            return parse(value)
        except (rules.RuleError, units.SizeError, durations.DurationError) as error:
            raise refuse(str(error), error.hint) from None

    return validate


def _size(value: str | int) -> int:
    if value == 0 or isinstance(value, str):
        return 0 if value in (0, "0") else units.parse(str(value))
    raise units.bare(value)


def _remote(value: str | int) -> str:
    if isinstance(value, int):
        raise rules.RuleError(f"{value} is not something that a rule can name", "use any, self, a CIDR or group.NAME")
    return rules.remote(value)


_SIZE_SCHEMA = {
    "description": "A size: a number and KiB, MiB, GiB, TiB or PiB.",
    "anyOf": [{"type": "string", "pattern": units.PATTERN}, {"const": 0}],
    "examples": ["512MiB", "4GiB"],
}
_DURATION_SCHEMA = {
    "description": "A duration: a whole number and s, m or h.",
    "type": "string",
    "pattern": durations.PATTERN,
    "examples": ["90s", "10m"],
}
_PORT_SCHEMA = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": 65535},
        {"type": "string", "pattern": "^[0-9]{1,5}( ?- ?[0-9]{1,5})?$"},
    ]
}
_PORTS_SCHEMA = {
    "description": "A port, a range such as 8000-8010, or a list of them. Without it: every port.",
    "anyOf": [*_PORT_SCHEMA["anyOf"], {"type": "array", "items": _PORT_SCHEMA}],
    "examples": [443, "8000-8010", [80, 443]],
}
_PROTOCOL_SCHEMA = {
    "description": "A protocol's name or its number. Without it: every protocol.",
    "anyOf": [{"enum": sorted(rules.PROTOCOLS)}, {"type": "integer", "minimum": 0, "maximum": 255}],
}
_TYPE_SCHEMA = {
    "description": "An ICMP type's name or its number. Without it: every type.",
    "anyOf": [{"enum": sorted(rules.ICMP_TYPES)}, {"type": "integer", "minimum": 0, "maximum": 255}],
}
_REMOTE_SCHEMA = {
    "description": "any, self, a CIDR, group.NAME, network.NAME or instance.NAME.",
    "type": "string",
    "examples": ["any", "192.0.2.0/24", "group.web", "self"],
}


def _one_or_many(value: object) -> object:
    return value if isinstance(value, list) else [value]


EMPTY_LIST = Field(json_schema_extra={"default": []})
_EMPTY_MAP = Field(json_schema_extra={"default": {}})
"""What the schema says where each is given an empty one of its own: copying a default takes longer than the rest."""

Label = Annotated[str, Field(pattern=names.LABEL)]
Name = Annotated[str, Field(pattern=names.NAME)]
KeypairName = Annotated[str, Field(pattern=names.KEYPAIR)]
Device = Annotated[str, Field(pattern=names.DEVICE)]
Domain = Annotated[str, Field(pattern=names.DOMAIN, max_length=200)]
Login = Annotated[str, Field(pattern=names.LOGIN)]
Labels = Annotated[
    dict[Annotated[str, Field(pattern=names.LABEL_KEY)], Annotated[str, Field(pattern=names.LABEL_VALUE)]],
    _EMPTY_MAP,
]
Metadata = Annotated[
    dict[Annotated[str, Field(pattern=names.METADATA_KEY)], Annotated[str, Field(max_length=255)]], _EMPTY_MAP
]
Size = Annotated[
    int,
    PlainValidator(_text_or_number("a size", "4GiB", _size)),
    WithJsonSchema(_SIZE_SCHEMA),
    PlainSerializer(units.show),
]
Duration = Annotated[
    int,
    PlainValidator(_text_or_number("a duration", "10m", durations.parse)),
    WithJsonSchema(_DURATION_SCHEMA),
    PlainSerializer(durations.show),
]
PortRange = Annotated[tuple[int, int], PlainValidator(_text_or_number("a port", "443, or 8000-8010", rules.ports))]
Ports = Annotated[
    list[PortRange], Field(min_length=1), EMPTY_LIST, BeforeValidator(_one_or_many), WithJsonSchema(_PORTS_SCHEMA)
]
Protocol = Annotated[
    str,
    PlainValidator(_text_or_number("a protocol", "tcp, 47, or any", rules.protocol)),
    WithJsonSchema(_PROTOCOL_SCHEMA),
]
IcmpType = Annotated[
    int,
    PlainValidator(_text_or_number("an ICMP type", "echo-request, or 8", rules.icmp_type)),
    WithJsonSchema(_TYPE_SCHEMA),
]
Remote = Annotated[
    str,
    PlainValidator(_text_or_number("this", "any, 192.0.2.0/24, or group.web", _remote)),
    WithJsonSchema(_REMOTE_SCHEMA),
]
Ratio = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
