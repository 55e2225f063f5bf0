"""Kinds of values that mean something to replication or to links: patterns, selectors, addresses."""

from __future__ import annotations

import re
from typing import Final

import attrs

from trio_argoagent.model.selectors import LabelSelector
from trio_argoagent.net.address import format_address, parse_address
from trio_argoagent.runtime.options.kinds import SWITCH, Kind, parse_switch
from trio_argoagent.runtime.options.suites import NEWEST, OLDER, parse_suites
from trio_argoagent.sync.mapping import Style
from trio_argoagent.sync.patterns import Patterns

_LABEL: Final = re.compile(r"(?P<key>[A-Za-z0-9./_-]+)=(?P<value>[A-Za-z0-9._-]*)")
_GLOB: Final = re.compile(r"[A-Za-z0-9*?\[\]!._/-]+")


def split(text: str) -> tuple[str, ...]:
    """What stands between commas, without white space round it."""
    return tuple(each.strip() for each in text.split(",") if each.strip())


def _patterns(text: str) -> Patterns:
    return Patterns.parse(text.split(","))


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as exc:
        raise ValueError(f"{text} is no regular expression: {exc}") from exc
    return text


def _labels(text: str) -> tuple[tuple[str, str], ...]:
    found = []
    for each in split(text):
        label = _LABEL.fullmatch(each)
        if label is None:
            raise ValueError(f"{each!r} is no label; write key=value")
        found.append((label["key"], label["value"]))
    return tuple(found)


def _globs(text: str) -> tuple[str, ...]:
    found = split(text)
    for each in found:
        if _GLOB.fullmatch(each) is None:
            raise ValueError(f"{each!r} is no glob of keys; write, for example, argocd-image-updater.*")
    return found


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(format_address(*parse_address(each)) for each in split(text))


def _address(text: str) -> str:
    return format_address(*parse_address(text)) if text else ""


def _style(text: str) -> Style:
    return Style.DESTINATION if parse_switch(text) else Style.NAMESPACE


STYLE: Final = attrs.evolve(SWITCH, parse=_style)
"""A switch: by destination, or not."""
PATTERNS: Final = Kind(_patterns, "GLOB,/REGEX/,...", is_list=True)
SELECTOR: Final = Kind(LabelSelector.parse, "SELECTOR")
EXPRESSION: Final = Kind(_expression, "REGEX")
LABELS: Final = Kind(_labels, "KEY=VALUE,...", is_list=True)
GLOBS: Final = Kind(_globs, "GLOB,...", is_list=True)
ADDRESSES: Final = Kind(_addresses, "HOST:PORT,...", is_list=True)
ADDRESS_OF: Final = Kind(_address, "HOST:PORT")
"""With a port; or nothing."""
ADDRESS: Final = Kind(str, "HOST:PORT")
"""Judged where it is used: what is wrong with it depends on that."""
NETWORKS: Final = Kind(split, "NETWORK,...", is_list=True)
SUITES: Final = Kind(parse_suites, "NAME,...", is_list=True, listed=(*NEWEST, *OLDER))
