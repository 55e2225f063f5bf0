"""The rules of docs/structured-concurrency.md that can be seen in the source, looked for in all of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

TOP: Final = Path(__file__).parents[2] / "trio_argoagent"
ENDS_BY_ITSELF: Final = {
    "bench/children.py": 1,  # A process that has been killed is waited for.
    "cli/apiserver.py": 1,  # A file is unlinked, in a thread that no deadline could stop.
    "net/http2_wire.py": 2,  # Its owner takes the shield away; and a close by force waits for nothing.
    "testing/workers.py": 1,  # Likewise a process.
}
"""Shields without a deadline, how many in each file, and why."""
CONTEXT: Final = ("asynccontextmanager", "fixture")


def modules() -> Iterator[tuple[str, ast.Module]]:
    """All of the package, by path."""
    for path in sorted(TOP.rglob("*.py")):
        yield path.relative_to(TOP).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def inside(node: ast.AST) -> Iterator[ast.AST]:
    """What a function does itself, without the functions in it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from inside(child)


def called(call: ast.Call) -> str:
    """The last name of what is called."""
    return ast.unparse(call.func).rpartition(".")[2]


def test_every_shield_has_a_deadline() -> None:
    """Or stands in the list above."""
    found: dict[str, int] = {}
    for path, module in modules():
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and called(node) == "CancelScope":
                words = {word.arg: ast.unparse(word.value) for word in node.keywords}
                if words.get("shield") == "True" and "deadline" not in words:
                    found[path] = found.get(path, 0) + 1
            shields = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith(".shield")
            assert not shields, f"{path}: a shield is set where the scope is made"
    assert found == ENDS_BY_ITSELF


def test_no_generator_holds_a_scope_open() -> None:
    """Whoever yields amid an ``async def`` is a context manager: there is no other asynchronous generator."""
    generators = [
        f"{path}:{node.lineno}"
        for path, module in modules()
        for node in ast.walk(module)
        if isinstance(node, ast.AsyncFunctionDef)
        and any(isinstance(each, ast.Yield) for each in inside(node))
        and not any(word in ast.unparse(each) for each in node.decorator_list for word in CONTEXT)
    ]
    assert generators == []


def test_nobody_swallows_a_cancellation() -> None:
    """A handler of everything raises again, and waits for nothing but a close by force."""
    for path, module in modules():
        for node in ast.walk(module):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = ast.unparse(node.type) if node.type is not None else "BaseException"
            if "BaseException" not in caught.replace("BaseExceptionGroup", "") and "Cancelled" not in caught:
                continue
            where = f"{path}:{node.lineno}"
            assert isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None, where
            waits = [ast.unparse(each.value) for each in ast.walk(node) if isinstance(each, ast.Await)]
            assert all(wait.startswith("trio.aclose_forcefully(") for wait in waits), where
