"""Figures to files and back."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import attrs
import pytest

from trio_argoagent.bench.answers import Answer, Row
from trio_argoagent.bench.figures import Figure, Sense
from trio_argoagent.bench.machine import describe
from trio_argoagent.bench.questions import OURS, Goal, Growth, Question
from trio_argoagent.bench.results import FORM, LARGEST, forget, read, write
from trio_argoagent.errors import UserError

from .conftest import unasked

QUESTION = Question(
    "q", "f", "what", (1, 10), "n", unasked,
    goals=(Goal("it is little", "ours", 10, "cost", Sense.AT_MOST, 3.0),),
    growth=(Growth("it does not grow", "cost", 0.2),),
)  # fmt: skip
ROWS = tuple(Row(OURS.name, case, {"cost": Figure("us", (1.0, 2.0, 4.5))}) for case in (1, 10))
ANSWER = Answer(QUESTION, ROWS, {"peer": "it is not installed"})


FIGURE = (
    '{"form": 1, "machine": {}, "question": {"name": "q", "rows": [{"side": "a", "case": 1,'
    ' "figures": {"cost": {"unit": "us", "values": %s}}}]}, "quick": %s}'
)


def test_there_and_back(tmp_path: Path) -> None:
    """What was written is read again, from the file and from its folder; for others it is plain JSON."""
    file = write(tmp_path, ANSWER, describe(), quick=True)
    for path in (file, tmp_path):
        found = read(path)
        assert found.figures == {("q", "ours", case, "cost"): ROWS[0].figures["cost"] for case in ("1", "10")}
        assert found.machine["versions"]["python"]
    told = json.loads(file.read_text())
    assert told["quick"] is True
    assert told["question"]["goals"][0]["met"] is True
    assert told["question"]["absent"] == {"peer": "it is not installed"}


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", f"no form {FORM}"),
        ('{"form": 99}', f"no form {FORM}"),
        ('{"form": 1}', "not written by bench: KeyError"),
        ('{"form": 1, "machine": {}, "question": {"rows": [1]}}', "not written by bench: TypeError"),
        ('{"form": 1, "machine": {}, "question": []}', "not written by bench: TypeError"),
        (
            '{"form": 1, "machine": {}, "question": {"name": "q", "rows": [{"side": "a", "case": 1,'
            ' "figures": {"cost": {"unit": "us", "values": []}}}]}}',
            "ValueError: cost has no values",
        ),
        (
            '{"form": 1, "machine": {}, "question": {"name": "q", "rows": [{"side": "a", "case": 1,'
            ' "figures": {"cost": {"unit": "us", "values": ["much"]}}}]}}',
            "not written by bench: TypeError",
        ),
        (FIGURE % ("123", "false"), "TypeError: cost: its values are no list of numbers"),
        (FIGURE % ('"123"', "false"), "TypeError: cost: its values are no list of numbers"),
        (FIGURE % ('["1"]', "false"), "TypeError: cost: its values are no list of numbers"),
        (FIGURE % ("[true]", "false"), "TypeError: cost: its values are no list of numbers"),
        (FIGURE % ("[1]", '"no"'), "TypeError: quick is neither true nor false"),
        ('{"form": 1, "machine": {}, "quick": false, "figures": {"a/b/c": {}}}', "a/b/c names no question"),
        *(
            (
                '{"form": 1, "machine": {}, "quick": false, "question": {"name": "q", "rows": [{"side": "a",'
                ' "case": 1, "figures": {"cost": {"unit": "us", "values": [' + value + "]}}}]}}",
                "not written by bench: (ValueError|OverflowError)",
            )
            for value in ("NaN", "Infinity", "1e999", "-1e16", "1" + 400 * "0")
        ),
    ],
    ids=range(20),
)
def test_no_such_file(tmp_path: Path, text: str, hint: str) -> None:
    """One line that names the file."""
    file = tmp_path / "odd.json"
    file.write_text(text)
    with pytest.raises(UserError, match=hint) as caught:
        read(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_there(tmp_path: Path) -> None:
    """No file, or a folder without any."""
    with pytest.raises(UserError, match="no figures"):
        read(tmp_path)
    with pytest.raises(UserError, match="No such file"):
        read(tmp_path / "none.json")
    with pytest.raises(UserError, match="cannot write"):
        write(tmp_path / "none", ANSWER, describe(), quick=True)


def test_no_file(tmp_path: Path) -> None:
    """What has no end, or waits for somebody to write, is not read, nor what is larger than ours."""
    os.mkfifo(tmp_path / "pipe")
    for path in (Path("/dev/zero"), tmp_path / "pipe"):
        with pytest.raises(UserError, match=f"^{path}: not written by bench: no regular file$"):
            read(path)
    big = tmp_path / "big.json"
    with big.open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(UserError, match="more than 16 MiB"):
        read(big)


def test_one_run(tmp_path: Path) -> None:
    """Files that were not taken alike make no set of figures; how busy the machine was is no matter."""
    other = attrs.evolve(ANSWER, question=attrs.evolve(QUESTION, name="r"))
    here = describe()
    write(tmp_path, ANSWER, here, quick=True)
    write(tmp_path, other, here | {"load": 99.0}, quick=True)
    assert len(read(tmp_path).figures) == 4
    assert read(tmp_path).quick
    for machine, quick, what in ((here, False, "effort"), (here | {"cpu": "z80"}, True, "cpu")):
        write(tmp_path, other, machine, quick=quick)
        with pytest.raises(UserError, match=rf"r\.json: another {what}.* than in q\.json"):
            read(tmp_path)
    (tmp_path / "r.json").write_text((tmp_path / "q.json").read_text())
    with pytest.raises(UserError, match=r"r\.json: q is in another file"):
        read(tmp_path)
    forget(tmp_path, other.question)
    forget(tmp_path, other.question)
    assert [file.name for file in tmp_path.iterdir()] == ["q.json"]


def test_whole_or_not_at_all(tmp_path: Path) -> None:
    """A disk that is full leaves what was there, and nothing beside it."""
    file = write(tmp_path, ANSWER, describe(), quick=True)
    before = file.read_text()
    (tmp_path / ".q.json.partial").symlink_to("/dev/full")
    with pytest.raises(UserError, match=r"^cannot write .*q\.json: No space left on device$"):
        write(tmp_path, ANSWER, describe(), quick=False)
    assert [each.name for each in tmp_path.iterdir()] == ["q.json"]
    assert file.read_text() == before


def test_no_number(tmp_path: Path) -> None:
    """What could not be read again is not written."""
    odd = attrs.evolve(ANSWER, rows=(Row(OURS.name, 1, {"cost": Figure("us", (math.inf,))}),))
    with pytest.raises(UserError, match="q: a figure is no number"):
        write(tmp_path, odd, describe(), quick=True)
    assert list(tmp_path.iterdir()) == []


def test_machine_names_nobody() -> None:
    """No host name is in what is told of a machine."""
    import socket

    assert socket.gethostname() not in json.dumps(describe())
