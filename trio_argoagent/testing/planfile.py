"""What every kind of plan has in common: how its times are drawn, and how its file is written and read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, Final

import attrs

from trio_argoagent.errors import UserError
from trio_argoagent.testing.scheduling import stream
from trio_argoagent.testing.stage import Item

Shape = Mapping[str, type | tuple[type, ...]]
"""The fields of an object, and their types."""
NUMBER: Final = (int, float)
_SHAPES: Final[Mapping[Any, str]] = {
    bool: "true or false", int: "a whole number", NUMBER: "a number", str: "a text",
    dict: "an object", list: "a list",
}  # fmt: skip


def place(item: Item) -> tuple[float, int]:
    """The order of a plan's items."""
    return item.at, item.number


def draw_times(chance: Random, pace: float, seconds: float) -> Iterator[float]:
    """Moments that come every ``pace`` seconds on average, until ``seconds``."""
    at = chance.expovariate(1 / pace)
    while at < seconds:
        yield round(at, 6)
        at += chance.expovariate(1 / pace)


def draw_kept(seed: int, names: Sequence[str], share: float) -> list[str]:
    """The names without about that share of them; never none."""
    kept = [name for name in names if stream(seed, "kept", name).random() >= share]
    return kept or list(names)


def write_text(head: Mapping[str, Any], items: Iterable[Item]) -> str:
    """The text of a plan's file: JSON, one field a line, and one item a line."""
    rows = [json.dumps(attrs.asdict(item)) for item in items]
    fields = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
    listed = "".join(f"\n  {row}{',' * (row is not rows[-1])}" for row in rows)
    return "{\n" + ",\n".join(fields) + f',\n"items": [{listed}\n]\n' + "}\n"


def read_text(text: str, shape: Shape, version: int) -> dict[str, Any]:
    """The fields of a plan's file.

    Raises:
        UserError: it is not such a file; names the line, or the field.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as exc:
        raise UserError(f"plan: line {exc.lineno}: {exc.msg}") from exc
    top = read_fields("plan", value, {"version": int, **shape})
    if top["version"] != version:
        raise UserError(f"plan: version: must be {version}, not {top['version']}")
    return top


def read_fields(where: str, value: Any, shape: Shape) -> dict[str, Any]:
    """An object with exactly these fields, of these types.

    Raises:
        UserError: it is none; names the field.
    """
    if not isinstance(value, dict):
        raise UserError(f"{where}: must be an object")
    for name in value:
        if name not in shape:
            raise UserError(f"{where}: {name}: there is no such field")
    for name, kind in shape.items():
        if name not in value:
            raise UserError(f"{where}: {name}: is missing")
        found = value[name]
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
            raise UserError(f"{where}: {name}: must be {_SHAPES[kind]}")
    return value


def read_items(values: Sequence[Any], targets: Mapping[str, Sequence[str]]) -> tuple[Item, ...]:
    """The items of a plan, in their order.

    Args:
        values: as they are in the file.
        targets: of each kind of item.

    Raises:
        UserError: one of them is none, or two have one number.
    """
    items = tuple(_read_item(f"plan: items[{i}]", each, targets) for i, each in enumerate(values))
    if len({item.number for item in items}) < len(items):
        raise UserError("plan: items: each must have another number")
    return tuple(sorted(items, key=place))


def _read_item(where: str, value: Any, targets: Mapping[str, Sequence[str]]) -> Item:
    numbers, texts = dict.fromkeys(("at", "lasts", "strength"), NUMBER), {"kind": str, "target": str}
    item = Item(**read_fields(where, value, {"number": int, **texts, **numbers}))
    if item.kind not in targets:
        raise UserError(f"{where}: kind: there is no {item.kind!r}")
    known = targets[item.kind]
    if item.target not in known:
        raise UserError(f"{where}: target: must be one of {', '.join(known)}")
    for name, most in (("at", float("inf")), ("lasts", float("inf")), ("strength", 1)):
        if not 0 <= getattr(item, name) <= most:
            raise UserError(f"{where}: {name}: is out of bounds")
    return item
