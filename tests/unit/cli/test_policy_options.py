"""The options of policies and of local metadata, by flag and by argocd-agent's environment variables."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.runtime.options.objects import METADATA, POLICIES
from trio_argoagent.runtime.options.programs import AGENT
from trio_argoagent.sync.policy import Adoption, Mismatch, Recreation

from .conftest import Run
from .parsing import values_of


def _read(*arguments: str, **environment: str) -> dict[str, Any]:
    values = values_of(AGENT, *arguments, **environment)
    return {each.name: values[each.name] for each in (*POLICIES, *METADATA)}


def test_nothing_said_is_argocd_agents_defaults() -> None:
    """Adopt, recreate, ignore; nothing is local."""
    assert _read() == {
        "adoption_policy": Adoption.ALWAYS,
        "source_uid_mismatch_policy": Mismatch.RECREATE,
        "on_application_recreate": Recreation.IGNORE,
        "local_annotations": (),
        "local_labels": (),
    }


@pytest.mark.parametrize(
    ("option", "variable", "words"),
    [
        ("adoption-policy", "ARGOCD_AGENT_ADOPTION_POLICY", Adoption),
        ("source-uid-mismatch-policy", "ARGOCD_AGENT_SOURCE_UID_MISMATCH_POLICY", Mismatch),
        ("on-application-recreate", "ARGOCD_AGENT_ON_APPLICATION_RECREATE", Recreation),
    ],
)
def test_each_word_of_each_policy(option: str, variable: str, words: Any) -> None:
    """By flag, by variable; the flag goes before."""
    name = option.replace("-", "_")
    for word in words:
        assert _read(f"--{option}", word.value)[name] is word
        assert _read(**{variable: word.value})[name] is word
    first, last = next(iter(words)), list(words)[-1]
    assert _read(f"--{option}", first.value, **{variable: last.value})[name] is first


def test_patterns_are_a_list() -> None:
    """With commas, with or without spaces, by flag or by variable."""
    found = _read("--local-annotations", "a.*/x, b", ARGOCD_AGENT_LOCAL_LABELS="team-*,")
    assert found["local_annotations"] == ("a.*/x", "b") and found["local_labels"] == ("team-*",)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("--adoption-policy", "perhaps"), "'perhaps' is not one of 'always', 'never'"),
        (("--local-labels", "a b"), "'a b' is no glob of keys"),
        (("--local-annotations", "a;b"), "'a;b' is no glob of keys"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(run: Run, arguments: tuple[str, ...], hint: str) -> None:
    """Before anything has started."""
    line = run("agent", "--server-address", "hub", *arguments).line
    assert arguments[0] in line and hint in line
