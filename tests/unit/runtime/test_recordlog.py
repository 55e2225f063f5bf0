"""A line for each record, write and change: argocd-agent's fields, and no Secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import structs

from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import Evidence, Outcome, Record, Result
from trio_argoagent.runtime import logs, recordlog
from trio_argoagent.runtime.loglevels import parse
from trio_argoagent.runtime.recordlog import ALL, Category, RecordLog, parse_detail

from .test_logs import lines, put_back

__all__ = ["put_back"]
KEY = Key(Kind.APPLICATION, "argocd", "web")
RECORD = Record(KEY, "uid", "D", "17", b'{"spec": {"project": "x"}}')
SECRET = structs.replace(RECORD, key=KEY.of(Kind.REPOSITORY), body=b'{"data": {"password": "aHVudGVyMg=="}}')


def told(capsys: pytest.CaptureFixture[str]) -> Iterator[dict[str, Any]]:
    """The lines, without what is in each."""
    for line in lines(capsys):
        assert line.pop("timestamp") and line.pop("program") == "agent"
        yield line


def app(version: str, **more: Any) -> Object:
    """An Application."""
    metadata = {"name": "web", "namespace": "argocd", "uid": "uid", "resourceVersion": version}
    return Object.of(
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata} | more
    )


def test_the_way_of_a_record(capsys: pytest.CaptureFixture[str]) -> None:
    """Sent, answered; received, written, ended."""
    logs.configure("records=debug", "json")
    lines_of = RecordLog("agent").of(lambda: "east", Mode.MANAGED)
    lines_of.sent(3, RECORD, 0.0, new=True)
    lines_of.answered(KEY, Result(3, Outcome.REJECTED, "no"))
    lines_of.received(4, structs.replace(RECORD, body=None, evidence=Evidence.WITNESSED))
    lines_of.wrote(KEY, "patch", ("Application", "argocd", "web"), 0.0, "Conflict", {"a": 1})
    lines_of.ended(KEY, None, "later")
    about = {"agent": "east", "name": "web", "namespace": "argocd", "resource_type": "application"}
    about |= {"level": "debug", "subsys": "records"}
    event = about | {"log_category": "events", "event_target": "application"}
    sent, answered, received, wrote, ended = told(capsys)
    assert sent == event | {
        "event": "record-sent", "direction": "send", "event_type": "spec-update", "number": 3, "uid": "uid"
    }  # fmt: skip
    assert answered == event | {
        "event": "record-answered", "number": 3, "status": "rejected", "reason": "no"
    }  # fmt: skip
    assert received == event | {
        "event": "record-received", "direction": "recv", "event_type": "delete", "number": 4, "uid": "uid"
    }  # fmt: skip
    assert wrote == about | {
        "event": "wrote", "log_category": "actions", "action": "update", "error": "Conflict"
    }  # fmt: skip
    assert ended == event | {"event": "record-ended", "status": "pending", "reason": "later"}


def test_what_an_informer_shows(capsys: pytest.CaptureFixture[str]) -> None:
    """What has changed of it in full, where that is asked for: then at ``info``."""
    logs.configure("info", "json")
    log = RecordLog("agent", ALL)
    log.informed(Kind.APPLICATION, None, app("1", spec={"a": 1}))
    log.informed(Kind.APPLICATION, app("1", spec={"a": 1}, status={}), app("2", spec={"a": 2}, status={}))
    log.informed(Kind.APPLICATION, app("2"), None)
    made, changed, gone = told(capsys)
    assert [each["action"] for each in (made, changed, gone)] == ["create", "update", "delete"]
    assert {each["log_category"] for each in (made, changed, gone)} == {"informers"}
    assert json.loads(made["detail"])["spec"] == {"a": 1}
    assert set(json.loads(changed["detail"])) == {"metadata", "spec"}
    assert "detail" not in gone
    assert (gone["subsys"], gone["resource_type"], gone["resourceVersion"]) == (
        "informers",
        "application",
        "2",
    )


def test_full_detail(capsys: pytest.CaptureFixture[str]) -> None:
    """What was sent and written; what is too long is cut; of a Secret nothing."""
    logs.configure("info", "json")
    tracer = RecordLog("agent", ALL).of(lambda: "east", Mode.MANAGED)
    tracer.sent(1, RECORD, 0.0, new=False)
    tracer.sent(2, structs.replace(RECORD, body=b"x" * 100_000), 0.0, new=False)
    tracer.received(3, SECRET)
    tracer.wrote(KEY, "create", ("Application", "argocd", "web"), 0.0, "", {"b": 1, "a": 2})
    tracer.wrote(SECRET.key, "create", ("Secret", "argocd", "web"), 0.0, "", None)
    RecordLog("agent", ALL).informed(Kind.REPOSITORY, None, app("1", data={"password": "aHVudGVyMg=="}))
    found = list(told(capsys))
    assert [each["level"] for each in found] == ["info"] * 6
    assert found[0]["detail"] == '{"spec": {"project": "x"}}'
    assert len(found[1]["detail"]) == recordlog.MAX_DETAIL and found[1]["detail"].endswith("…")
    assert found[2]["detail"] == found[5]["detail"] == recordlog.SECRET
    assert found[3]["detail"] == '{"a":2,"b":1}'
    assert "detail" not in found[4]


def test_one_category(capsys: pytest.CaptureFixture[str]) -> None:
    """The others are not logged for it."""
    logs.configure("info", "json")
    log = RecordLog("agent", frozenset({Category.ACTIONS}))
    tracer = log.of(lambda: "east", Mode.MANAGED)
    tracer.sent(1, RECORD, 0.0, new=False)
    log.informed(Kind.APPLICATION, None, app("1"))
    tracer.wrote(KEY, "delete", ("Application", "argocd", "web"), 0.0, "", None)
    assert [line["action"] for line in told(capsys)] == ["delete"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", frozenset()),
        ("all", ALL),
        ("Actions, events", frozenset({Category.ACTIONS, Category.EVENTS})),
        ("informers,", frozenset({Category.INFORMERS})),
    ],
)
def test_categories(text: str, expected: frozenset[Category]) -> None:
    """As argocd-agent spells them."""
    assert parse_detail(text) == expected


def test_a_mistake() -> None:
    """One line that names the choices."""
    with pytest.raises(
        UserError, match=r"^there is no category 'x'; choose from all, actions, events, informers$"
    ):
        parse_detail("events,x")


@pytest.mark.parametrize(
    ("levels", "detail", "expected"),
    [
        ("info", "", False),
        ("debug", "", True),
        ("informers=debug", "", True),
        ("link=debug", "", False),
        ("info", "events", True),
    ],
)
def test_when_it_is_wanted(levels: str, detail: str, expected: bool) -> None:
    """Otherwise nobody is told of anything."""
    assert recordlog.is_wanted(parse(levels), parse_detail(detail)) is expected
