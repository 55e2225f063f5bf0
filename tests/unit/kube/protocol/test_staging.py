"""Initial events, gathered."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.kube.protocol.staging import Endless, Staging

from ..fakes import bookmark, event, thing

KINDS = st.sampled_from(["ADDED", "MODIFIED", "DELETED"])


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(KINDS, st.sampled_from("abc")), max_size=20))
def test_the_state_is_what_the_events_add_up_to(steps: list[tuple[str, str]]) -> None:
    """In whatever order they come, a thing is what was said of it last."""
    staging, truth = Staging(lambda item: item), dict[str, int]()
    for version, (kind, name) in enumerate(steps, start=1):
        truth.pop(name, None)
        if kind != "DELETED":
            truth[name] = version
        assert staging.take(event(kind, thing(name, version))) is None
    done = staging.take(bookmark(99, end=True))
    assert done is not None and done.resource_version == "99"
    assert {item.meta.name: int(item.meta.resource_version) for item in done.items} == truth


def test_each_object_is_transformed_as_it_comes() -> None:
    """What nobody needs is not held, not even until the end."""
    staging = Staging(lambda item: attrs.evolve(item, fields={}))
    staging.take(event("ADDED", thing("a", 1, text="long")))
    done = staging.take(bookmark(1, end=True))
    assert done is not None and [dict(item.fields) for item in done.items] == [{}]


def test_another_bookmark_means_that_none_will_end_them() -> None:
    """A server that knows of initial events sends none before theirs."""
    with pytest.raises(Endless):
        Staging(lambda item: item).take(bookmark(1))
