"""``/metrics``: what the server holds and has done, in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from trio_argoagent.apiserver.core.requests import Asked
from trio_argoagent.apiserver.core.values import ServerStatistics

TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX: Final = "trio_argoagent_apiserver_"
# field of the statistics -> (type, what it is)
_ABOUT: Final[Mapping[str, tuple[str, str]]] = {
    "rv": ("counter", "Committed writes: the newest resourceVersion."),
    "compacted": ("counter", "Watches from before this resourceVersion are answered with 410."),
    "objects": ("gauge", "Objects that are stored."),
    "log_entries": ("gauge", "Committed writes that are remembered."),
    "log_dropped": ("counter", "Committed writes that have been forgotten."),
    "watches": ("gauge", "Open watches."),
    "watches_overflowed": ("counter", "Watches that were closed because nobody took their events."),
}


def text(statistics: ServerStatistics, requests: Mapping[Asked, int]) -> bytes:
    """The document."""
    lines: list[str] = []
    for field, value in attrs.asdict(statistics).items():
        kind, about = _ABOUT[field]
        name = _PREFIX + field + ("_total" if kind == "counter" else "")
        lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}", f"{name} {value}"]
    name = f"{_PREFIX}request_total"
    lines += [f"# HELP {name} Requests about resources that were answered.", f"# TYPE {name} counter"]
    for asked, count in requests.items():
        labels = ",".join(f'{label}="{value}"' for label, value in asked._asdict().items())
        lines.append(f"{name}{{{labels}}} {count}")
    return ("\n".join(lines) + "\n").encode()
