"""A YAML file as kubectl would read it: documents of JSON values, each mistake with its line or its field.

YAML says more than JSON can: dates stay the strings they were written as and keys become strings, as kubectl
has it; what else does not fit, and a key that stands twice, is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import attrs
import yaml

from trio_argoagent.errors import UserError

MAX_SIZE: Final = 8 * 1024 * 1024
"""Bytes of a file."""
MAX_VALUES: Final = 200_000
"""Values of a document, counted where aliases put them: ten lines can stand for billions."""
MAX_DEPTH: Final = 64
"""Levels of a document."""
_TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"
_MERGE: Final = "tag:yaml.org,2002:merge"
_TEXT: Final = "tag:yaml.org,2002:str"


class _Loader(yaml.SafeLoader):
    """JSON's types only, and no key twice."""

    yaml_implicit_resolvers = {  # noqa: RUF012  (as the base class has it)
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping with texts as keys; raises YAMLError for a key that stands twice."""
        seen: dict[str, None] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                if key.value in seen:
                    raise yaml.MarkedYAMLError(None, None, f"key {key.value!r} stands twice", key.start_mark)
                seen[key.value] = None
        self.flatten_mapping(node)
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                # Else 1 and true, which Python takes for the same, would be one key.
                key.tag = _TEXT
        return super().construct_mapping(node, deep)


def load(path: str) -> list[Any]:
    """The documents of a file as JSON values; an empty one is None.

    Raises:
        UserError: it cannot be read; the line, or the document and the field, are named.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_SIZE + 1)
    except OSError as exc:
        raise UserError(f"--apply: cannot read {path}: {exc.strerror}; give the path of a YAML file") from exc
    if len(content) > MAX_SIZE:
        raise UserError(f"--apply: cannot read {path}: it is longer than {MAX_SIZE} bytes")
    try:
        found = list(yaml.load_all(content.decode(), _Loader))
    except UnicodeDecodeError as exc:
        raise UserError(f"--apply: cannot read {path}: it is not UTF-8") from exc
    except RecursionError as exc:
        raise UserError(f"{path}: this is nested too deeply") from exc
    except (yaml.YAMLError, ValueError, TypeError) as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        text = " ".join(str(getattr(exc, "problem", None) or exc).split())
        raise UserError(f"{path}{where}: this is not YAML: {text}") from exc
    return [_Json(f"{path}, document {number}").value(each) for number, each in enumerate(found, start=1)]


@attrs.define
class _Json:
    """Makes one document JSON."""

    where: str
    values: int = 0

    def value(self, value: Any, field: str = "", depth: int = 0) -> Any:
        """A copy that is JSON; raises UserError where it cannot be."""
        self.values += 1
        if self.values > MAX_VALUES or depth > MAX_DEPTH:
            raise UserError(f"{self.where}: {field or 'it'}: there is too much in it, or it contains itself")
        if isinstance(value, dict):
            return {
                key: self.value(each, f"{field}.{key}".lstrip("."), depth + 1) for key, each in value.items()
            }
        if isinstance(value, list):
            return [self.value(each, f"{field}[{i}]", depth + 1) for i, each in enumerate(value)]
        if value is None or isinstance(value, str | bool | int):
            return value
        if isinstance(value, float) and abs(value) < float("inf"):
            return value
        raise UserError(
            f"{self.where}: {field or 'it'}: a {type(value).__name__} has no place in a Kubernetes object"
        )
