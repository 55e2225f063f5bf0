"""The options of policies and of local metadata, by flag and by argocd-agent's environment variables."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from trio_argoagent.cli.policy_options import local_options, policy_options
from trio_argoagent.sync.policy import Adoption, Mismatch, Recreation

from .conftest import Run


def _read(*arguments: str, **environment: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    @click.command()
    @local_options("ARGOCD_AGENT")
    @policy_options
    def command(**options: Any) -> None:
        found.update(options)

    said = CliRunner().invoke(command, arguments, env=environment, catch_exceptions=False)
    assert said.exit_code == 0, said.output
    return found


def test_nothing_said_is_argocd_agents_defaults() -> None:
    """Adopt, recreate, ignore; nothing is local."""
    assert _read() == {
        "adoption_policy": "always",
        "source_uid_mismatch_policy": "recreate",
        "on_application_recreate": "ignore",
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
    known = [each.value for each in words]
    for word in known:
        assert _read(f"--{option}", word)[name] == word
        assert _read(**{variable: word})[name] == word
    first, last = known[0], known[-1]
    assert _read(f"--{option}", first, **{variable: last})[name] == first


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
    line = run("agent", *arguments).line
    assert arguments[0] in line and hint in line
