"""Commands that are loaded when somebody asks for them."""

from __future__ import annotations

import sys

import click
import pytest

from trio_argoagent.cli.shelf import Shelf

MODULE = "trio_argoagent.cli.demo_command"


def test_nothing_is_loaded_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What commands there are is known without them; each is the module's own."""
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    shelf = Shelf({"demo": MODULE})
    assert [*shelf] == ["demo"] and len(shelf) == 1 and "other" not in shelf
    assert MODULE not in sys.modules
    assert shelf["demo"] is sys.modules[MODULE].demo is shelf["demo"]


def test_commands_beside_them() -> None:
    """Those that are there already, as ``click.Group.command`` adds them."""
    shelf, command = Shelf({"demo": MODULE}), click.Command("agent")
    shelf["agent"] = command
    assert [*shelf] == ["demo", "agent"] and len(shelf) == 2
    assert shelf["agent"] is command
    del shelf["agent"]
    assert [*shelf] == ["demo"]


def test_an_unknown_command() -> None:
    """As a dict says it."""
    with pytest.raises(KeyError):
        Shelf({})["demo"]
