"""YAML as a Kubernetes API server reads it: JSON in other clothes.

Dates stay the texts they were written as, keys become texts, and what JSON cannot say is refused. Aliases are
counted where they put their values: ten lines can stand for billions.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import attrs

MAX_VALUES: Final = 500_000  # of one document
MAX_DEPTH: Final = 100  # levels of one
_TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"
_MERGE: Final = "tag:yaml.org,2002:merge"
_TEXT: Final = "tag:yaml.org,2002:str"


@cache
def _loader() -> Any:
    import yaml

    # The parser in C is six times as quick, but not in every build.
    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc]
        """JSON's types only: no dates, and texts as keys, each once."""

        yaml_implicit_resolvers = {  # noqa: RUF012  (as the base class has it)
            first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
            for first, resolvers in base.yaml_implicit_resolvers.items()
        }

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            """A mapping with texts as keys: 1 and true, which Python takes for the same, are two."""
            keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE]
            seen: dict[str, Any] = {}
            for key in keys:
                key.tag = _TEXT
                if seen.setdefault(key.value, key) is not key:
                    raise yaml.MarkedYAMLError(None, None, f"key {key.value!r} stands twice", key.start_mark)
            self.flatten_mapping(node)
            found: dict[Any, Any] = super().construct_mapping(node, deep)
            return found

    return Loader


def load(data: bytes) -> list[Any]:
    """The documents of a text as JSON values; empty ones are left out.

    Raises:
        ValueError: it is not YAML, or says what JSON cannot; with the line if there is one.
    """
    import yaml

    try:
        found = list(yaml.load_all(data.decode("utf-8"), _loader()))
    except (UnicodeDecodeError, RecursionError) as exc:
        raise ValueError(f"it is not UTF-8, or nested too deeply: {type(exc).__name__}") from None
    except (yaml.YAMLError, ValueError, TypeError, OverflowError) as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        text = " ".join(str(getattr(exc, "problem", None) or exc).split())
        raise ValueError(f"{where}{text}") from None
    return [_Json().value(each) for each in found if each is not None]


def load_one(data: bytes) -> Any:
    """The one document of a text.

    Raises:
        ValueError: it is not one, or not YAML.
    """
    found = load(data)
    if len(found) != 1:
        raise ValueError(f"there are {len(found)} documents in it, not one")
    return found[0]


@attrs.define
class _Json:
    """Makes one document JSON."""

    values: int = 0

    def value(self, value: Any, depth: int = 0) -> Any:
        """A copy that is JSON; raises ValueError where it cannot be."""
        self.values += 1
        if self.values > MAX_VALUES or depth > MAX_DEPTH:
            raise ValueError("there is too much in it, or it contains itself")
        if isinstance(value, dict):
            return {self._key(key): self.value(each, depth + 1) for key, each in value.items()}
        if isinstance(value, list):
            return [self.value(each, depth + 1) for each in value]
        if value is None or isinstance(value, str | bool | int):
            return value
        if isinstance(value, float) and abs(value) < float("inf"):
            return value
        raise ValueError(f"a {type(value).__name__} has no place in it")

    @staticmethod
    def _key(key: Any) -> str:
        if isinstance(key, str):
            return key
        raise ValueError(f"a {type(key).__name__} cannot be a key")
