"""From what a user has written, in several places, to the values of a program's options.

A flag goes before a variable, a variable before a key, and that before the default; an empty variable is as
good as none, as it is for argocd-agent. All mistakes are found, not the first alone.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias, TypeVar

import attrs

from trio_argoagent.errors import UserError
from trio_argoagent.runtime.options import kinds, strays
from trio_argoagent.runtime.options.rows import Option, Program

T = TypeVar("T")
NO_KEYS: Final[Mapping[str, str]] = {}
Check: TypeAlias = Callable[[Mapping[str, Any], Mapping[str, str]], None]
"""Raises UserError where values of options, or these and the environment, contradict each other."""


class Origin(enum.Enum):
    """Where a value comes from."""

    FLAG = "flag"
    VARIABLE = "variable"
    KEY = "key"
    DEFAULT = "default"


@attrs.frozen
class Setting:
    """The value of one option.

    Attributes:
        option: whose it is.
        origin: where it comes from.
        where: the flag, the variable or the key; empty: it is the default.
        text: as it was written; None: nothing was, and nothing is the default.
        value: what that means; None as well where it means nothing.
    """

    option: Option
    origin: Origin
    where: str
    text: str | None = attrs.field(repr=False)
    value: Any = attrs.field(default=None, repr=False)


@attrs.frozen
class Reading:
    """What was written, and what is wrong with it.

    Attributes:
        program: whose options they are.
        settings: one for each option of the program, in the table's order.
        mistakes: a line each, with the option's name; none: the values can be used.
        remarks: a line for each thing that was written and has no effect, which is no reason not to start.
    """

    program: Program
    settings: tuple[Setting, ...]
    mistakes: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def values(self) -> dict[str, Any]:
        """By the options' names."""
        return {each.option.name: each.value for each in self.settings}

    def contradictions(self, checks: Iterable[Check], environ: Mapping[str, str]) -> list[str]:
        """What is wrong with the values only together, a line each; for a reading without mistakes.

        Args:
            checks: what is looked at.
            environ: the environment.
        """
        found = dict.fromkeys(self._needing())
        for check in checks:
            try:
                check(self.values, environ)
            except UserError as exc:
                found[str(exc)] = None
        return list(found)

    def _needing(self) -> Iterator[str]:
        """Options that do nothing without another one, of which nobody has said anything.

        Where it was written that there is none, these are left over: a remark says so.
        """
        for each, other in _idle(self.settings):
            if other.origin is Origin.DEFAULT:
                yield f"{_named(each)}: has no effect without {other.option.flag}: give that, too"


def read(
    program: Program,
    typed: Mapping[str, str],
    environ: Mapping[str, str],
    keys: Mapping[str, str] = NO_KEYS,
) -> Reading:
    """The values of all options of a program.

    Args:
        program: whose.
        typed: what stands on the command line, by the options' names.
        environ: the environment.
        keys: of a ConfigMap that is looked at before a pod has made variables of it.
    """
    mine, remarks = _without_links(program, environ)
    settings, mistakes = [], []
    for option in program:
        written = _written(program, option, typed, mine, keys)
        try:
            settings.append(attrs.evolve(written, value=_value(written)))
        except (ValueError, UserError) as exc:
            settings.append(written)
            mistakes.append(f"{_named(written)}: {exc}")
        if option.required and not written.text:
            mistakes.append(f"{' or '.join(names(program, option))}: {option.required}")
        if option.unused and written.origin is not Origin.DEFAULT:
            remarks.append(f"{written.where} has no effect: {option.unused}")
    remarks += [
        f"{each.where} has no effect: it needs {other.option.flag}"
        for each, other in _idle(settings)
        if other.origin is not Origin.DEFAULT
    ]
    for name, meant in strays.misspelt(program, environ):
        remarks.append(f"{name} is no option: did you mean {meant}?")
    return Reading(program, tuple(settings), tuple(mistakes), tuple(remarks))


def pick(kind: type[T], values: Mapping[str, Any], begins: str = "", **more: Any) -> T:
    """An attrs value whose fields are called as options are.

    Args:
        kind: of the value.
        values: of the options.
        begins: what the options' names begin with, and the fields' do not.
        more: fields that are no options.
    """
    fields = (field.name for field in attrs.fields(kind))  # type: ignore[arg-type]
    return kind(**{name: values[begins + name] for name in fields if begins + name in values}, **more)


def names(program: Program, option: Option) -> Iterator[str]:
    """All that it may be set by, but for its key."""
    if option.flag:
        yield option.flag
    yield from program.variables(option)


def _without_links(program: Program, environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The environment without what Kubernetes says of Services by the names of our ports; a word on each."""
    ports = {
        variable for option in program if option.kind in kinds.PORTS for variable in program.variables(option)
    }
    links = [name for name in environ if name in ports and strays.is_link(environ[name])]
    told = [
        f"{name}={environ[name]} is Kubernetes' for a Service, and no port of this program" for name in links
    ]
    return {name: text for name, text in environ.items() if name not in links}, told


def _idle(settings: Iterable[Setting]) -> Iterator[tuple[Setting, Setting]]:
    """Each that was written and needs another one that is not there; with that one."""
    by_name = {each.option.name: each for each in settings}
    for each in by_name.values():
        if each.option.needs and each.origin is not Origin.DEFAULT and not _is_off(each):
            other = by_name[each.option.needs]
            if _is_off(other):
                yield each, other


def _is_off(setting: Setting) -> bool:
    if setting.option.kind.is_switch and setting.text:
        # What is neither true nor false is a mistake, and told as one.
        return setting.value is not None and not kinds.parse_switch(setting.text)
    return not setting.text


def _written(
    program: Program,
    option: Option,
    typed: Mapping[str, str],
    environ: Mapping[str, str],
    keys: Mapping[str, str],
) -> Setting:
    if option.name in typed:
        return Setting(option, Origin.FLAG, option.flag, typed[option.name])
    for variable in program.variables(option):
        if environ.get(variable):
            return Setting(option, Origin.VARIABLE, variable, environ[variable])
    if text := keys.get(program.key(option)):
        return Setting(option, Origin.KEY, program.key(option), text)
    return Setting(option, Origin.DEFAULT, "", option.default)


def _value(written: Setting) -> Any:
    has_one = written.text is not None and not written.option.unused
    return written.option.kind.parse(written.text or "") if has_one else None


def _named(written: Setting) -> str:
    """An option, and where it was written; a default cannot be wrong."""
    flag = written.option.flag
    return f"{flag} ({written.where})" if flag not in ("", written.where) else written.where
