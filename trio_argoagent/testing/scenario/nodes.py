"""A YAML document as a tree that knows its lines: what is wrong can be said with the line and the field.

Scalars follow YAML 1.2: ``on`` and ``no`` are texts, and so is a date. Keys are texts. Anchors may be used;
tags and merge keys have no place here. PyYAML is loaded when the first text is read.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

MAX_SIZE: Final = 1 << 20
"""Characters of a document."""
MAX_VALUES: Final = 20_000
"""Values of a document, counted where aliases put them."""
MAX_DEPTH: Final = 32
"""Levels of a document."""
_INT: Final = re.compile(r"[-+]?[0-9]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Final[Mapping[str, Any]] = {
    "": None, "~": None, "null": None, "true": True, "false": False,
}  # fmt: skip


class Problem(Exception):
    """Something in a document is wrong.

    Args:
        line: counted from 1.
        field: the path of it: ``timeline[2].cut``; empty: the document.
        text: what is wrong, and what would be right.
    """

    def __init__(self, line: int, field: str, text: str) -> None:
        super().__init__(f"{line}: {field}: {text}" if field else f"{line}: {text}")
        self.line, self.field, self.text = line, field, text


@attrs.frozen
class Node:
    """One value of a document.

    Attributes:
        line: where it begins, counted from 1.
        field: its path.
        value: a scalar, a tuple of nodes, or a mapping of names to nodes.
    """

    line: int
    field: str
    value: Any

    def problem(self, text: str) -> Problem:
        """What is wrong with this value, ready to be raised."""
        return Problem(self.line, self.field, text)

    def plain(self) -> Any:
        """The value as JSON."""
        if isinstance(self.value, dict):
            return {name: node.plain() for name, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value

    @property
    def shape(self) -> str:
        """What kind of value it is, for messages."""
        if isinstance(self.value, dict):
            return "a mapping"
        if isinstance(self.value, tuple):
            return "a list"
        return "nothing" if self.value is None else repr(self.value)


def nearest(name: str, known: Iterable[str]) -> str:
    """How a message goes on after a wrong name: what may have been meant, or what there is."""
    names = list(known)
    found = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"did you mean {found[0]!r}?" if found else f"choose of {', '.join(names)}"


def read(text: str) -> Node:
    """The tree of one document.

    Raises:
        Problem: it is not YAML, or more than is allowed.
    """
    import yaml  # Here: nothing that replays a saved scenario in another form needs it.

    if len(text) > MAX_SIZE:
        raise Problem(1, "", f"it is longer than {MAX_SIZE} characters")
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        said = " ".join(str(getattr(exc, "problem", None) or exc).split())
        raise Problem(mark.line + 1 if mark is not None else 1, "", f"this is not YAML: {said}") from exc
    except RecursionError as exc:
        raise Problem(1, "", "this is nested too deeply") from exc
    if root is None:
        raise Problem(1, "", "it is empty")
    return _Reader().node(root, "", 0)


class _Reader:
    def __init__(self) -> None:
        self._values = 0

    def node(self, found: Any, field: str, depth: int) -> Node:
        """PyYAML's node as one of ours."""
        line = found.start_mark.line + 1
        self._values += 1
        if self._values > MAX_VALUES or depth > MAX_DEPTH:
            raise Problem(line, field, "there is too much in it, or it contains itself")
        if found.tag not in _TAGS:
            raise Problem(line, field, f"the tag {found.tag} has no place here")
        if found.id == "mapping":
            return Node(line, field, self._mapping(found.value, field, depth))
        if found.id == "sequence":
            nodes = (self.node(each, f"{field}[{i}]", depth + 1) for i, each in enumerate(found.value))
            return Node(line, field, tuple(nodes))
        return Node(line, field, found.value if found.style else _scalar(found.value))

    def _mapping(self, pairs: Sequence[tuple[Any, Any]], field: str, depth: int) -> dict[str, Node]:
        result: dict[str, Node] = {}
        for key, value in pairs:
            line = key.start_mark.line + 1
            if key.id != "scalar":
                raise Problem(line, field, "a key must be a text")
            below = f"{field}.{key.value}" if field else key.value
            if key.value in result:
                raise Problem(line, below, "it stands twice")
            # Of a value the line of its key: that is where people look for it.
            result[key.value] = attrs.evolve(self.node(value, below, depth + 1), line=line)
        return result


_TAGS: Final = tuple(f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq"))


def _scalar(text: str) -> Any:
    """What a plain (unquoted) scalar says."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text) and len(text) <= 18:
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
