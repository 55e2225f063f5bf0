"""YAML as Kubernetes reads it: JSON in other clothes.

Dates stay the texts they were written as, keys become texts, and what JSON cannot say is refused. Aliases are
counted where they put their values: ten lines can stand for billions.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import attrs

MAX_VALUES: Final = 500_000  # of one document
MAX_DEPTH: Final = 100  # levels of one
_ENDLESS: Final = "there is too much in it, or it contains itself"
_MAX_FIELD: Final = 100  # characters of a field's name that are told
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
            seen: dict[str, None] = {}
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                    if key.value in seen:
                        problem = f"key {key.value!r} stands twice"
                        raise yaml.MarkedYAMLError(None, None, problem, key.start_mark)
                    seen[key.value] = None
            self.flatten_mapping(node)
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode):
                    key.tag = _TEXT
            found: dict[Any, Any] = super().construct_mapping(node, deep)
            return found

    return Loader


class NotYaml(ValueError):
    """A text is not YAML, or says what JSON cannot.

    Args:
        problem: what is wrong.
        line: of the text, from 1, where it is known.
        document: from 1, where the text is YAML and one of its documents is no JSON.
        field: of that document; empty: the document itself.
    """

    def __init__(self, problem: str, line: int = 0, document: int = 0, field: str = "") -> None:
        super().__init__(f"line {line}: {problem}" if line else f"{field}: {problem}" if field else problem)
        self.problem, self.line, self.document, self.field = problem, line, document, field


def documents(data: bytes) -> list[Any]:
    """The documents of a text as JSON values, in their order; an empty one is None.

    Raises:
        NotYaml: it is not YAML, or says what JSON cannot.
    """
    import yaml

    try:
        text = data.decode("utf-8")
        _check_depth(text)
        found = list(yaml.load_all(text, _loader()))
    except NotYaml:
        raise
    except UnicodeDecodeError:
        raise NotYaml("it is not UTF-8") from None
    except (yaml.YAMLError, ValueError, TypeError, OverflowError) as exc:
        problem = " ".join(str(getattr(exc, "problem", None) or exc).split())
        raise NotYaml(problem, _line(getattr(exc, "problem_mark", None))) from None
    return [_Json(number).value(each) for number, each in enumerate(found, start=1)]


def _check_depth(text: str) -> None:
    """Look at its brackets first: the composer in C recurses, and ends the process when its stack does."""
    import yaml

    depth = 0
    for event in yaml.parse(text, _loader()):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise NotYaml(f"it is nested deeper than {MAX_DEPTH} levels", _line(event.start_mark))


def _line(mark: Any) -> int:
    return mark.line + 1 if mark is not None else 0


def load(data: bytes) -> list[Any]:
    """The documents of a text that are not empty.

    Raises:
        NotYaml: see ``documents``.
    """
    return [each for each in documents(data) if each is not None]


def load_one(data: bytes) -> Any:
    """The one document of a text.

    Raises:
        NotYaml: it is not one, or not YAML.
    """
    found = load(data)
    if len(found) != 1:
        raise NotYaml(f"there are {len(found)} documents in it, not one")
    return found[0]


@attrs.define
class _Json:
    """Makes one document JSON."""

    document: int
    values: int = 0

    def value(self, value: Any, field: str = "", depth: int = 0) -> Any:
        """A copy that is JSON; raises NotYaml where it cannot be."""
        self.values += 1
        if self.values > MAX_VALUES or depth > MAX_DEPTH:
            raise NotYaml(_ENDLESS, document=self.document, field=field[:_MAX_FIELD])
        if isinstance(value, dict):
            return {
                self._key(key, field): self.value(each, f"{field}.{key}".lstrip("."), depth + 1)
                for key, each in value.items()
            }
        if isinstance(value, list):
            return [self.value(each, f"{field}[{i}]", depth + 1) for i, each in enumerate(value)]
        if value is None or isinstance(value, str | bool | int):
            return value
        if isinstance(value, float) and abs(value) < float("inf"):
            return value
        problem = f"a {type(value).__name__} has no place in a Kubernetes object"
        raise NotYaml(problem, document=self.document, field=field)

    def _key(self, key: Any, field: str) -> str:
        if isinstance(key, str):
            return key
        raise NotYaml(f"a {type(key).__name__} cannot be a key", document=self.document, field=field)
