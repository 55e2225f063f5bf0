"""Objects and lists out of bodies."""

from __future__ import annotations

import sys

import pytest

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.kube.protocol.answers import parse_object, parse_page
from trio_argoagent.kube.protocol.watchlines import parse_event
from trio_argoagent.model.resources import SECRETS


def test_a_page() -> None:
    """Its version, its token, and items that take their type from the resource."""
    page = parse_page(
        b'{"kind":"SecretList","metadata":{"resourceVersion":"9","continue":"t"},'
        b'"items":[{"metadata":{"name":"a","managedFields":[{"x":1}]},"data":{"k":"dg=="}}]}'
    )
    assert (page.resource_version, page.continue_token) == ("9", "t")
    found = parse_object(page.items[0], SECRETS)
    assert (found.api_version, found.kind, found.meta.name) == ("v1", "Secret", "a")
    assert found.get("data") == {"k": "dg=="}


def test_an_empty_page_may_be_null() -> None:
    """Go writes a nil slice as null."""
    assert parse_page(b'{"metadata":{"resourceVersion":"9"},"items":null}').items == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"metadata":{"resourceVersion":"9"}}',
        b'{"metadata":{},"items":[]}',
        b'{"metadata":{"resourceVersion":"9"},"items":{}}',
        b'{"metadata":{"resourceVersion":"9"},"items":[',
    ],
)
def test_what_is_no_list_is_not_an_empty_one(body: bytes) -> None:
    """Else an answer of something else would read as: everything is gone."""
    with pytest.raises(RemoteProtocolError):
        parse_page(body)


def test_another_kind_is_refused() -> None:
    """A Status where an object is expected is no object."""
    with pytest.raises(RemoteProtocolError, match="Status"):
        parse_object(b'{"kind":"Status","metadata":{}}', SECRETS)


def test_an_object_keeps_nothing_of_its_page() -> None:
    """Its fields own their bytes: the page's buffer can go while the object stays."""
    body = bytes(
        bytearray(b'{"metadata":{"resourceVersion":"9"},"items":[{"metadata":{"name":"a"},"data":{"k":"v"}}]}')
    )
    before = sys.getrefcount(body)
    page = parse_page(body)
    found = parse_object(page.items[0], SECRETS)
    assert sys.getrefcount(body) > before
    del page
    assert sys.getrefcount(body) == before
    assert found.get("data") == {"k": "v"}


@pytest.mark.parametrize("levels", [1_000, 9_000])
def test_an_object_of_a_thousand_levels(levels: int) -> None:
    """Whatever it comes in, it ends nothing, and says what it is; the others of the page are read."""
    deep = b'{"a":' * levels + b"1" + b"}" * levels
    item = b'{"metadata":{"name":"deep","uid":"u","resourceVersion":"3"},"data":' + deep + b"}"
    page = parse_page(
        b'{"metadata":{"resourceVersion":"9"},"items":[' + item + b',{"metadata":{"name":"b"}}]}'
    )
    found, other = (parse_object(each, SECRETS) for each in page.items)
    assert (found.meta.name, bool(found.unreadable), found.get("data")) == ("deep", True, None)
    assert (other.meta.name, other.unreadable) == ("b", "")
    line = b'{"type":"ADDED","object":{"kind":"Secret",' + item[1:] + b"}"
    event = parse_event(line, SECRETS)
    assert event is not None and event.object.unreadable == found.unreadable
