"""As much of PromQL as tells whether an expression names what there is. It is no parser of Prometheus'.

Source: https://prometheus.io/docs/prometheus/latest/querying/basics/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs

FUNCTIONS = frozenset({"absent", "rate", "increase", "histogram_quantile", "time"})
AGGREGATIONS = frozenset({"sum", "avg", "min", "max", "count"})
WORDS = frozenset({"and", "or", "unless", "bool", "Inf"})
GROUPINGS = frozenset({"by", "without", "on", "ignoring"})
TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"[^"\\]*")
      | (?P<range>\[(?:\d+[smhd]|\$__rate_interval)\])
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
      | (?P<sign>=~|!~|!=|==|<=|>=|[-+*/%^<>=(){},])
    )""",
    re.VERBOSE,
)


class NotPromQL(Exception):
    """The expression is none, or more than is understood here."""


@attrs.frozen
class Selector:
    """One metric that an expression reads.

    Attributes:
        name: of it.
        matchers: of its labels: value by name, with the operator before it.
        changes: is it read through ``rate`` or ``increase``?
    """

    name: str
    matchers: tuple[tuple[str, str], ...]
    changes: bool


@attrs.frozen
class Expression:
    """What one says.

    Attributes:
        selectors: metrics.
        labels: named in groupings.
    """

    selectors: tuple[Selector, ...]
    labels: tuple[str, ...]


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise NotPromQL(f"at {text[position:]!r}")
        yield match.lastgroup, match[match.lastgroup]
        position = match.end()


class _Reader:
    """Walks over the tokens once: operands and operators in turn, brackets in pairs."""

    def __init__(self, text: str) -> None:
        self._tokens = [*_tokens(text), ("end", "")]
        self._at = 0
        self.selectors: list[Selector] = []
        self.labels: list[str] = []

    def _next(self, *wanted: str) -> str:
        kind, value = self._tokens[self._at]
        if wanted and value not in wanted and kind not in wanted:
            raise NotPromQL(f"{value or kind!r} instead of {' or '.join(wanted)}")
        self._at += 1
        return value

    def _sees(self, *values: str) -> bool:
        return self._tokens[self._at][1] in values

    def expression(self, within: str = "") -> None:
        """Operands, with operators between them."""
        self._operand(within)
        while self._sees("+", "-", "*", "/", "%", "==", "!=", "<", ">", "<=", ">=", "and", "or", "unless"):
            self._next()
            if self._sees("bool"):
                self._next()
            if self._sees("on", "ignoring"):
                self._grouping()
            self._operand(within)

    def end(self) -> None:
        """Nothing may follow."""
        self._next("end")

    def _grouping(self) -> None:
        self._next(*GROUPINGS)
        self._next("(")
        self.labels.append(self._next("name"))
        while self._sees(","):
            self._next()
            self.labels.append(self._next("name"))
        self._next(")")

    def _operand(self, within: str) -> None:
        kind, value = self._tokens[self._at]
        if value == "(":
            self._next()
            self.expression(within)
            self._next(")")
        elif kind == "number" or value == "Inf":
            self._next()
        elif value in AGGREGATIONS:
            self._next()
            if self._sees("by", "without"):
                self._grouping()
            self._call(value)
        elif value in FUNCTIONS:
            self._next()
            self._call(value)
        else:
            self._selector(within)

    def _call(self, name: str) -> None:
        self._next("(")
        if not self._sees(")"):
            self.expression(name)
        while self._sees(","):
            self._next()
            self.expression(name)
        self._next(")")

    def _selector(self, within: str) -> None:
        name = self._next("name")
        if name in WORDS | GROUPINGS:
            raise NotPromQL(f"{name} is no metric")
        matchers: list[tuple[str, str]] = []
        if self._sees("{"):
            self._next()
            while not self._sees("}"):
                label, sign = self._next("name"), self._next("=", "!=", "=~", "!~")
                matchers.append((label, sign + self._next("string").strip('"')))
                if not self._sees("}"):
                    self._next(",")
            self._next()
        ranged = self._tokens[self._at][0] == "range"
        if ranged:
            self._next()
        if ranged != (within in ("rate", "increase")):
            raise NotPromQL(f"{name}: a range belongs into rate and increase, and nowhere else")
        self.selectors.append(Selector(name, tuple(matchers), ranged))


def read(text: str) -> Expression:
    """What it says.

    Raises:
        NotPromQL: nothing that is understood.
    """
    reader = _Reader(text)
    reader.expression()
    reader.end()
    return Expression(tuple(reader.selectors), tuple(reader.labels))
