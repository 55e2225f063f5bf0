"""Which events the programs tell of, as their source has it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import trio_argoagent

PACKAGE: Final = Path(trio_argoagent.__file__).parent
WHERE: Final = ("agent", "cli", "principal", "replication", "runtime")
"""What tells of events. Folders below that all else is built on know of none."""
APART: Final = {"runtime/recordlog.py", "runtime/audit.py", "cli/campaign.py"}
"""Whose lines are no events: each says of itself which part of the log, or which log, it is of."""
TELLS: Final = {"Event", "Rarely", "_report", "report", "_tell", "tell", "_say", "_ended"}
"""The functions that are given the name of an event, after the name of an agent or before all else."""
NAME: Final = re.compile(r"[a-z]+(-[a-z]+)*")

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def events() -> frozenset[str]:
    """The names of all that may be told.

    Raises:
        AssertionError: somewhere a name stands in a form that is not read here.
    """
    found: set[str] = set()
    for part in WHERE:
        for path in sorted((PACKAGE / part).rglob("*.py")):
            if path.relative_to(PACKAGE).as_posix() not in APART:
                found |= set(_in_module(ast.parse(path.read_text()), path))
    return frozenset(found)


def _in_module(tree: ast.Module, path: Path) -> Iterator[str]:
    for function in ast.walk(tree):
        if isinstance(function, _Function):
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and call.args and _last(call.func) in TELLS:
                    names = {name for given in call.args[:2] for name in _words(given, function, tree)}
                    passed_on = any(_is_passed_on(given, function) for given in call.args[:2])
                    assert names or passed_on or not _is_telling(call), (path, ast.unparse(call))
                    yield from names


def _is_telling(call: ast.Call) -> bool:
    """Is it surely an event: of a name, a text and more?"""
    return _last(call.func) in ("Event", "Rarely") or (
        _last(call.func) in ("_report", "report") and len(call.args) > 2
    )


def _last(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _words(given: ast.expr, function: _Function, tree: ast.Module) -> set[str]:
    """The names that it may be: as it stands there, or as the variable was set in this function."""
    if isinstance(given, ast.Constant):
        return {given.value} if isinstance(given.value, str) and NAME.fullmatch(given.value) else set()
    if not isinstance(given, ast.Name):
        return set()
    found: set[str] = set()
    for each in ast.walk(function):
        if isinstance(each, ast.Assign) and given.id in _set_first(each):
            for value in ast.walk(_source(each.value, tree)):
                if isinstance(value, ast.Tuple) and value.elts:
                    found |= _words(value.elts[0], function, tree)
    return found


def _set_first(assignment: ast.Assign) -> set[str]:
    """The variable that takes the first of what is assigned together."""
    targets = [each.elts[0] for each in assignment.targets if isinstance(each, ast.Tuple)]
    return {each.id for each in targets if isinstance(each, ast.Name)}


def _source(value: ast.expr, tree: ast.Module) -> ast.AST:
    """What it is taken from: a table of the module, or the value itself."""
    if isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name):
        for each in tree.body:
            if isinstance(each, ast.AnnAssign) and ast.unparse(each.target) == value.value.id and each.value:
                return each.value
    return value


def _is_passed_on(given: ast.expr, function: _Function) -> bool:
    """Is it what the function itself was given, or its object at its making?"""
    if isinstance(given, ast.Attribute):
        return given.attr == "_name"
    return isinstance(given, ast.Name) and given.id in {each.arg for each in function.args.args}
