"""Large fields are kept compressed, and nobody sees a difference."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.kube.protocol.packing import LARGE, packed
from trio_argoagent.model.objects import Object


def thing(**fields: object) -> Object:
    """An Application with these fields."""
    return Object.of({"kind": "Application", "metadata": {"name": "a", "uid": "u"}, **fields})


@settings(deadline=None, max_examples=30)
@given(
    st.dictionaries(st.sampled_from(["spec", "status", "operation"]), st.integers(0, 2 * LARGE)),
    st.text(min_size=1, max_size=8),
)
def test_it_is_the_same_object(sizes: dict[str, int], text: str) -> None:
    """Each field, the value as a whole, and what is not there."""
    value = thing(**{name: {"text": text * (size // len(text))} for name, size in sizes.items()})
    kept = packed(value)
    assert kept.value() == value.value() and kept.meta == value.meta
    assert sorted(kept.fields) == sorted(value.fields) and len(kept.fields) == len(value.fields)
    for name in ("spec", "status", "operation"):
        assert kept.get(name) == value.get(name) and (name in kept.fields) == (name in value.fields)
        assert bytes(kept.fields.get(name, b"")) == bytes(value.fields.get(name, b""))


def test_what_is_small_is_left_alone() -> None:
    """Not even copied."""
    small = thing(spec={"project": "default"}, status={"sync": {}})
    assert packed(small) is small


def test_a_large_status_takes_little() -> None:
    """Two hundred resources, each in words of its own."""
    resources = [
        {"kind": "Deployment", "name": f"service-{n * 7919 % 1000003:x}", "health": {"status": "Healthy"}}
        for n in range(400)
    ]
    large = thing(spec={"project": "default"}, status={"resources": resources})
    kept = packed(large)
    size = len(bytes(large.fields["status"]))
    held = [value for name in ("_plain", "_packed") for value in getattr(kept.fields, name).values()]
    assert sum(len(bytes(value)) for value in held) < size / 4
    assert kept.fields["spec"] == large.fields["spec"]
    assert msgspec.json.decode(kept.fields["status"]) == {"resources": resources}
