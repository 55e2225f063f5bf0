"""Faults on demand: what a client of a real API server meets in bad weather, ordered beforehand.

A fault waits for the requests it is meant for and befalls so many of them. ``status`` answers instead of the
server, ``delay`` holds the request back, ``lose`` carries it out and breaks off before the answer's body,
``truncate`` in the middle of it: of a watch, in the middle of a line. ``drop_watches`` and ``compact`` are
done at once: all watches end (with a ``code``: with that error), and the past becomes unreachable.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from trio_argoagent.errors import ApiError, BadRequest, Conflict, Expired, Throttled, Unavailable

MAX_FAULTS: Final = 1000  # faults that wait
MAX_DELAY: Final = 600.0  # seconds


class What(enum.StrEnum):
    """What befalls a request."""

    STATUS = "status"
    DELAY = "delay"
    LOSE = "lose"
    TRUNCATE = "truncate"
    DROP_WATCHES = "drop_watches"
    COMPACT = "compact"


IMMEDIATE: Final = (What.DROP_WATCHES, What.COMPACT)

_ERRORS: Final[Mapping[int, type[ApiError]]] = {
    400: BadRequest,
    409: Conflict,
    410: Expired,
    429: Throttled,
    503: Unavailable,
}


@attrs.frozen
class Fault:
    """One order.

    Attributes:
        what: befalls them.
        verbs: of the requests it is meant for (``get``, ``list``, ``watch``, ``create``, ``update``,
            ``patch``, ``delete``, ``deletecollection``); empty: all.
        plural: of the resource; empty: any.
        name: of the object; empty: any.
        count: how many requests.
        code: HTTP status of a ``status`` (500), or of the last event of dropped watches (0: none).
        seconds: of a ``delay``, and the Retry-After of a 429 or 503.
        rv: for ``compact``: forget what was before this version; 0: all there is.
    """

    what: What
    verbs: tuple[str, ...] = ()
    plural: str = ""
    name: str = ""
    count: int = 1
    code: int = 0
    seconds: float = 0.0
    rv: int = 0

    @classmethod
    def parse(cls, value: Any) -> Fault:
        """From JSON: an object with these fields.

        Raises:
            BadRequest: it is not one.
        """
        if not isinstance(value, dict):
            raise BadRequest("a fault is an object")
        fields = {field.name: field for field in attrs.fields(cls)}
        unknown = [name for name in value if name not in fields]
        if unknown:
            raise BadRequest(f"a fault has no {unknown[0]!r}: choose of {', '.join(fields)}")
        try:
            what = What(str(value.get("what")))
        except ValueError:
            raise BadRequest(f"what: choose of {', '.join(What)}") from None
        made = cls(**{**value, "what": what, "verbs": tuple(_texts(value.get("verbs", ())))})
        _check(made)
        return made

    def meets(self, verb: str, plural: str, name: str) -> bool:
        """Is it meant for such a request?"""
        return (
            (not self.verbs or verb in self.verbs)
            and self.plural in ("", plural)
            and self.name in ("", name)
        )

    def error(self) -> ApiError:
        """The refusal of a ``status``, or in the last event of a dropped watch."""
        code = self.code or 500
        kind = _ERRORS.get(code, ApiError)
        reason = kind.reason if kind is not ApiError else {500: "InternalError", 504: "Timeout"}.get(code, "")
        return kind(f"a fault that was ordered: {code}", code=code, reason=reason, retry_after=self.seconds)


def _texts(value: Any) -> Sequence[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise BadRequest("verbs: must be a list of texts")
    return value


def _check(fault: Fault) -> None:
    numbers = {"count": fault.count, "code": fault.code, "seconds": fault.seconds, "rv": fault.rv}
    for name, number in numbers.items():
        wanted = int | float if name == "seconds" else int
        if isinstance(number, bool) or not isinstance(number, wanted) or not 0 <= number < 1 << 63:
            raise BadRequest(f"{name}: must be a number, and not negative")
    for name, text in {"plural": fault.plural, "name": fault.name}.items():
        if not isinstance(text, str):
            raise BadRequest(f"{name}: must be a text")
    if fault.code and not 400 <= fault.code < 600:
        raise BadRequest("code: must be that of an error, 400 to 599")
    if not fault.seconds <= MAX_DELAY:
        raise BadRequest(f"seconds: at most {MAX_DELAY}")
    if fault.count < 1:
        raise BadRequest("count: at least 1")


class Faults:
    """The orders that wait, in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Fault, int]] = deque()
        self.happened = 0

    @property
    def waiting(self) -> bool:
        """Is there any?"""
        return bool(self._waiting)

    def order(self, fault: Fault) -> None:
        """Let it happen to the next requests it is meant for.

        Raises:
            Throttled: too many of them wait.
        """
        if len(self._waiting) >= MAX_FAULTS:
            raise Throttled(f"{MAX_FAULTS} faults are waiting already")
        self._waiting.append((fault, fault.count))

    def meet(self, verb: str, plural: str, name: str) -> Fault | None:
        """What befalls this request, if anything; that counts as done."""
        for index, (fault, left) in enumerate(self._waiting):
            if fault.meets(verb, plural, name):
                if left == 1:
                    del self._waiting[index]
                else:
                    self._waiting[index] = (fault, left - 1)
                self.happened += 1
                return fault
        return None

    def clear(self) -> None:
        """Forget all orders."""
        self._waiting.clear()

    def document(self) -> dict[str, Any]:
        """What waits, as JSON."""
        waiting = [{**attrs.asdict(fault), "count": left} for fault, left in self._waiting]
        return {"happened": self.happened, "waiting": waiting}
