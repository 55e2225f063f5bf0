"""Paths of printer columns."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.apiserver.core.jsonpath import MAX_STEPS, compile_path

VALUE = {
    "a": {"b": [1, 2, 3], "c.d": "dotted", "e": {"x": 7, "y": 8}},
    "status": {"conditions": [{"type": "A", "status": "no"}, {"type": "Ready", "status": "yes"}]},
}


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        (".a.b[0]", 1),
        (".a.b[-1]", 3),
        (".a.b[9]", None),
        (".a.b[*]", 1),
        (".a.e.*", 7),
        (r".a.c\.d", "dotted"),
        (".a['c.d']", "dotted"),
        ('.a["c.d"]', "dotted"),
        ("{.a.e.y}", 8),
        ("$.a.e.y", 8),
        (".a.nope.deeper", None),
        (".a.b.c", None),
        ('.status.conditions[?(@.type=="Ready")].status', "yes"),
        (".status.conditions[?(@.type=='A')].status", "no"),
        ('.status.conditions[?(@.type=="B")].status', None),
        (".a..b", None),
        (".a[", None),
        ("nonsense", None),
        (".a" * (MAX_STEPS + 1), None),
    ],
)
def test_paths(path: str, wanted: Any) -> None:
    """Each form is followed; what is absent or not understood is None."""
    assert compile_path(path)(VALUE) == wanted
