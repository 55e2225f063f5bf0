"""Lists and watches: which state they show, and from where they go on."""

from __future__ import annotations

import pytest

from tests.unit.apiserver.core.helpers import NOW, NS, app, drop, make, new_server
from trio_argoagent.apiserver.core.kinds import EVENTS
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.values import Page
from trio_argoagent.errors import BadRequest, Expired, Invalid, Unavailable
from trio_argoagent.model.resources import APPLICATIONS, NAMESPACES, SECRETS


def filled() -> ApiServer:
    """Applications a to e."""
    server = new_server()
    for name in "abcde":
        make(server, app(name, metadata={"labels": {"odd": str(name in "ace").lower()}}))
    return server


def names(page: Page) -> str:
    """The names of a page."""
    return "".join(item.name for item in page.items)


def test_order_is_by_namespace_and_name() -> None:
    """Keys sort as texts, so namespace ``a-b`` comes before ``a``: as in etcd."""
    server = new_server()
    for space in ("x", "x-y", "x1"):
        server.create(NAMESPACES, "", {"metadata": {"name": space}}, actor="test", now=NOW)
        make(server, app("a"), ns=space)
    assert [item.namespace for item in server.list(APPLICATIONS).items] == ["x-y", "x", "x1"]
    assert [item.namespace for item in server.list(APPLICATIONS, "x").items] == ["x"]


def test_pages() -> None:
    """Pages show one state, count what follows, and end without a token."""
    server = filled()
    first = server.list(APPLICATIONS, NS, limit=2)
    drop(server, "d")
    make(server, app("f"))
    second = server.list(APPLICATIONS, NS, limit=2, continue_token=first.continue_token)
    third = server.list(APPLICATIONS, NS, limit=2, continue_token=second.continue_token)
    assert [names(page) for page in (first, second, third)] == ["ab", "cd", "e"]
    assert [page.remaining for page in (first, second, third)] == [3, 1, None]
    assert third.continue_token == ""
    assert {page.rv for page in (first, second, third)} == {first.rv}


def test_pages_of_a_selection() -> None:
    """A selector fills pages with what matches; how many follow is not said."""
    server = filled()
    first = server.list(APPLICATIONS, NS, labels="odd=true", limit=2)
    assert (names(first), first.remaining) == ("ac", None)
    rest = server.list(APPLICATIONS, NS, labels="odd=true", limit=2, continue_token=first.continue_token)
    assert (names(rest), rest.continue_token) == ("e", "")


def test_an_expired_token_comes_with_another() -> None:
    """After compaction a token is Expired, and the details carry one for an inconsistent remainder."""
    server = filled()
    first = server.list(APPLICATIONS, NS, limit=2)
    make(server, app("f"))
    server.compact(server.rv)
    with pytest.raises(Expired, match="too old to display a consistent list") as caught:
        server.list(APPLICATIONS, NS, limit=2, continue_token=first.continue_token)
    rest = server.list(APPLICATIONS, NS, continue_token=caught.value.details["continue"])
    assert names(rest) == "cdef"


def test_versions_of_a_list() -> None:
    """``Exact`` shows that state, ``NotOlderThan`` the newest; with a limit a bare version is exact."""
    server = filled()
    rv = str(server.rv)
    make(server, app("f"))
    assert names(server.list(APPLICATIONS, NS, resource_version=rv, match="Exact")) == "abcde"
    assert names(server.list(APPLICATIONS, NS, resource_version=rv, match="NotOlderThan")) == "abcdef"
    assert names(server.list(APPLICATIONS, NS, resource_version=rv)) == "abcdef"
    assert names(server.list(APPLICATIONS, NS, resource_version=rv, limit=9)) == "abcde"
    assert names(server.list(APPLICATIONS, NS, resource_version="0")) == "abcdef"
    server.compact(server.rv)
    with pytest.raises(Expired):
        server.list(APPLICATIONS, NS, resource_version=rv, match="Exact")


def test_a_version_from_the_future_times_out() -> None:
    """A list waits in vain for a version that nobody has written; a watch stays silent until it is passed."""
    server = filled()
    future = str(server.rv + 2)
    with pytest.raises(Unavailable) as caught:
        server.list(APPLICATIONS, resource_version=future)
    assert (caught.value.status_code, caught.value.status_reason) == (504, "Timeout")
    assert caught.value.details["causes"][0]["reason"] == "ResourceVersionTooLarge"
    assert caught.value.retry_after == 1
    watch = server.watch(APPLICATIONS, resource_version=future, bookmarks=True)
    selective = server.watch(APPLICATIONS, resource_version=future, labels="!odd")
    server.bookmark()
    for name in "fgh":
        make(server, app(name))
    assert [event.object.name for event in watch.take()] == ["h"]
    assert [event.object.name for event in selective.take()] == ["h"]


@pytest.mark.parametrize(
    "options",
    [
        {"match": "Exact"},
        {"match": "Exact", "resource_version": "0"},
        {"match": "Odd", "resource_version": "1"},
    ],
)
def test_contradictory_list_options_are_invalid(options: dict[str, str]) -> None:
    """Options that make no sense together are refused."""
    with pytest.raises(Invalid):
        new_server().list(APPLICATIONS, **options)  # type: ignore[arg-type]


def test_a_version_that_is_none() -> None:
    """It is a BadRequest, of a list and of a watch."""
    with pytest.raises(BadRequest, match="invalid resource version"):
        new_server().list(APPLICATIONS, resource_version="x")
    with pytest.raises(BadRequest, match="invalid resource version"):
        new_server().watch(APPLICATIONS, resource_version="x")


def test_bad_tokens() -> None:
    """A token must be one of ours, and goes without a version."""
    server = filled()
    token = server.list(APPLICATIONS, limit=1).continue_token
    for bad in ("x", "e30", token[:-3]):
        with pytest.raises(BadRequest):
            server.list(APPLICATIONS, continue_token=bad)
    with pytest.raises(BadRequest, match="not allowed when using continue"):
        server.list(APPLICATIONS, continue_token=token, resource_version="5")


def test_field_selectors() -> None:
    """Names and namespaces can be selected on everywhere, more where the kind says so."""
    server = filled()
    assert names(server.list(APPLICATIONS, fields="metadata.name=b")) == "b"
    assert names(server.list(APPLICATIONS, fields="metadata.name!=b", labels="odd=false")) == "d"
    make(server, {"metadata": {"name": "s"}, "type": "t"}, SECRETS)
    assert names(server.list(SECRETS, fields="type=t")) == "s"
    involved = {"name": "a", "kind": "Application", "namespace": NS}
    make(server, {"metadata": {"name": "e"}, "involvedObject": involved}, EVENTS)
    assert names(server.list(EVENTS, fields="involvedObject.name=a,involvedObject.kind=Application")) == "e"
    with pytest.raises(BadRequest, match="field label not supported"):
        server.list(APPLICATIONS, fields="spec.project=default")
