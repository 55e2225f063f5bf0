"""Shapes written out as one function for all fields of a message.

A shape that is asked field by field costs a call for each, several times what its comparisons cost. So what
the simple shapes compare is written out as source, as attrs does it for ``__init__``: one expression says
whether all fields fit, others make the values. Whatever does not fit at once goes the plain way, field by
field, which alone says what is wrong and where: nothing is decided here that is not decided there. (So does
what cannot be looked up because it has a map in it: ``TypeError``.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs

_READ: Final = """
def function(value):
    if type(value) is not tuple or len(value) < {count}:
        return plainly(value)
    {names} = value if len(value) == {count} else value[:{count}]
    if not ({tests}):
        return plainly(value)
    try:
        whole = made({made})
    except (Mismatch, TypeError):
        return plainly(value)
    {check_made}
    return whole
"""
_WRITE: Final = """
def function(value):
    {check_value}
    {names} = {values}
    if not ({tests}):
        return plainly(value)
    try:
        return [{made}]
    except (Mismatch, TypeError):
        return plainly(value)
"""
Bind = Callable[[object], str]
"""Gives a thing a name by which source can refer to it."""


@attrs.frozen
class Source:
    """How one value is judged and converted. ``@`` stands for the value.

    Attributes:
        test: an expression that is true only if the value fits.
        made: an expression of what it becomes.
    """

    test: str
    made: str = "@"

    def optional(self) -> Source:
        """The same, or None."""
        return Source(f"@ is None or ({self.test})", f"None if @ is None else {self.made}")


class Writer:
    """Writes out functions for the fields of one class.

    Args:
        mismatch: what shapes raise where something does not fit.
        check: raises it, too, for an object whose fields do not fit together; None: they always do.
    """

    def __init__(self, mismatch: type[Exception], check: Callable[[Any], None] | None) -> None:
        self._space: dict[str, Any] = {"Mismatch": mismatch}
        self._check = "pass  # {}" if check is None else f"{self.bind(check)}({{}})"

    def bind(self, thing: object) -> str:
        """See ``Bind``."""
        name = f"thing{len(self._space)}"
        self._space[name] = thing
        return name

    def reader(
        self, sources: Sequence[Source], made: Callable[..., Any], plainly: Callable[[Any], Any]
    ) -> Callable[[Any], Any]:
        """A function that makes an object of the tuple of its fields.

        Args:
            sources: of the fields, in order; there is one at least.
            made: called with their values.
            plainly: does the same, field by field.
        """
        return self._function(_READ, sources, made=made, plainly=plainly)

    def writer(
        self, sources: Sequence[Source], attributes: Sequence[str], plainly: Callable[[Any], Any]
    ) -> Callable[[Any], Any]:
        """A function that makes the list of its fields of an object.

        Args:
            sources: of the fields, in order; there is one at least.
            attributes: their names.
            plainly: does the same, field by field.
        """
        values = "".join(f"value.{attribute}, " for attribute in attributes)
        return self._function(_WRITE, sources, values, plainly=plainly)

    def _function(
        self, text: str, sources: Sequence[Source], values: str = "", **things: Any
    ) -> Callable[[Any], Any]:
        names = [f"field{number}" for number in range(len(sources))]
        pairs = list(zip(names, sources, strict=True))
        filled = text.format(
            count=len(sources),
            names="".join(f"{name}, " for name in names),
            values=values,
            check_made=self._check.format("whole"),
            check_value=self._check.format("value"),
            tests=" and ".join(f"({source.test.replace('@', name)})" for name, source in pairs),
            made=", ".join(source.made.replace("@", name) for name, source in pairs),
        )
        space = self._space | things
        exec(compile(filled, "<shapes>", "exec"), space)
        function: Callable[[Any], Any] = space["function"]
        return function
