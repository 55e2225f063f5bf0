"""Changes one place of the product for as long as a context is open: an expression, a statement, a constant.

The place is named by what stands there, as source text, and must be there exactly once: after a refactoring a
rewrite that no longer fits is an error, never a mutant that changes nothing. What is replaced is the code of
the function that is there already, so that everybody who holds the function sees it, and nothing of the
product knows.
"""

from __future__ import annotations
import __future__

import ast
import contextlib
import importlib
import inspect
import textwrap
import types
from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol

import attrs

_PACKAGE: Final = "trio_argoagent."


class Misfit(Exception):
    """The product has changed: this rewrite fits no place, or more than one."""


class Patch(Protocol):
    """A change of the product that can be taken back."""

    def applied(self) -> contextlib.AbstractContextManager[None]:
        """While the context is open, the product is changed.

        Raises:
            Misfit: there is no such place any more.
        """


@attrs.frozen
class Rewrite:
    """One expression or statement of one function says something else.

    Attributes:
        where: ``module:function`` or ``module:Class.method``, the module without ``trio_argoagent.``.
        old: what stands there; spaces and line breaks do not matter.
        new: what shall stand there instead; for a statement as many as you like.
        also: more of the same function, as pairs of old and new.
    """

    where: str
    old: str
    new: str
    also: Sequence[tuple[str, str]] = ()

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """See ``Patch``."""
        function = _function(self.where)
        before, function.__code__ = function.__code__, self._changed(function)
        try:
            yield
        finally:
            function.__code__ = before

    def _changed(self, function: types.FunctionType) -> types.CodeType:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        definition = tree.body[0]
        assert isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef)
        definition.decorator_list = []
        for old, new in ((self.old, self.new), *self.also):
            swap = _Swap(old, new)
            swap.visit(definition)
            if swap.found != 1:
                raise Misfit(f"{self.where}: found {swap.found} times instead of once: {old}")
        # What the function closes over (``super()`` does) must be free in the new code, too.
        closing = ast.parse(f"def closing({', '.join(function.__code__.co_freevars)}): pass").body[0]
        assert isinstance(closing, ast.FunctionDef)
        closing.body, tree.body = [definition], [closing]
        ast.fix_missing_locations(tree)
        ast.increment_lineno(tree, function.__code__.co_firstlineno - 1)
        flags = __future__.annotations.compiler_flag
        module = compile(tree, function.__code__.co_filename, "exec", flags=flags, dont_inherit=True)
        return _code(_code(module, "closing"), definition.name)


@attrs.frozen
class Constant:
    """A module's constant, or a member of a class, is another one.

    Attributes:
        where: ``module:NAME`` or ``module:Class.name``.
        value: of it.
    """

    where: str
    value: Any

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """See ``Patch``."""
        owner, name = _owner(self.where)
        before = inspect.getattr_static(owner, name, None)
        if before is None:
            raise Misfit(f"{self.where}: there is no such constant")
        setattr(owner, name, self.value)
        try:
            yield
        finally:
            setattr(owner, name, before)


@contextlib.contextmanager
def all_applied(patches: Sequence[Patch]) -> Iterator[None]:
    """All of these at once."""
    with contextlib.ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch.applied())
        yield


def _code(of: types.CodeType, name: str) -> types.CodeType:
    """The code of the function of this name in that one: its defaults may be lambdas."""
    codes = (each for each in of.co_consts if isinstance(each, types.CodeType))
    return next(each for each in codes if each.co_name == name)


def _owner(where: str) -> tuple[Any, str]:
    module, _, path = where.partition(":")
    owner: Any = importlib.import_module(_PACKAGE + module)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent, None)
    return owner, name


def _function(where: str) -> types.FunctionType:
    owner, name = _owner(where)
    found = inspect.getattr_static(owner, name, None)
    if isinstance(found, staticmethod | classmethod):
        found = found.__func__
    if isinstance(found, property):
        found = found.fget
    found = inspect.unwrap(found) if callable(found) else found
    if not isinstance(found, types.FunctionType):
        raise Misfit(f"{where}: there is no such function")
    return found


class _Swap(ast.NodeTransformer):
    def __init__(self, old: str, new: str) -> None:
        self.found = 0
        self._old, self._new = _parsed(old)[0], _parsed(new)
        self._wanted = ast.dump(_bare(self._old))

    def visit(self, node: ast.AST) -> Any:
        """The node itself, or what replaces it."""
        if isinstance(self._old, ast.Expr):
            if isinstance(node, ast.expr) and ast.dump(node) == self._wanted:
                self.found += 1
                return _bare(self._new[0])
        elif isinstance(node, ast.stmt) and ast.dump(node) == self._wanted:
            self.found += 1
            return self._new
        return self.generic_visit(node)


def _parsed(text: str) -> list[ast.stmt]:
    """Statements; ``return`` is allowed."""
    return ast.parse(textwrap.dedent(text).strip()).body


def _bare(node: ast.stmt) -> ast.AST:
    return node.value if isinstance(node, ast.Expr) else node
