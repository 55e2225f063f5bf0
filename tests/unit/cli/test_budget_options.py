"""The options of budgets: by flag and by variable; what makes no sense is refused before anything starts."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from trio_argoagent.cli import agent, principal
from trio_argoagent.cli.commands import agent as agent_command
from trio_argoagent.cli.commands import principal as principal_command
from trio_argoagent.runtime.config import AgentConfig, PrincipalConfig
from trio_argoagent.sync import allowance, flow
from trio_argoagent.sync.flow import Budget

from .conftest import Run
from .test_mapping_options import AGENT, PRINCIPAL


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The configs that the two commands would run with."""
    configs: dict[str, Any] = {}

    def start(name: str, config: Any) -> Any:
        def take(*values: Any, **settings: Any) -> None:
            configs[name] = config(*values, **settings)
            raise click.Abort

        return take

    monkeypatch.setattr(agent, "_config", start("agent", agent._config))
    monkeypatch.setattr(principal, "_config", start("principal", principal._config))
    return configs


def invoke(command: click.Command, given: tuple[str, ...], **environment: str) -> None:
    """Run a command as far as its config."""
    CliRunner().invoke(command, given, env=environment)


def test_nothing_said(made: dict[str, Any]) -> None:
    """The defaults of the values themselves."""
    invoke(agent_command, AGENT[1:])
    invoke(principal_command, PRINCIPAL[1:])
    config, hub = made["agent"], made["principal"]
    assert isinstance(config, AgentConfig) and config.budget == flow.DEFAULT
    assert isinstance(hub, PrincipalConfig)
    assert (hub.max_agent_objects, hub.hub_writes) == (allowance.DEFAULT, 0.0)


def test_each_by_flag_and_by_variable(made: dict[str, Any]) -> None:
    """The flag goes before."""
    flags = ("--status-budget-records", "7", "--status-budget-bytes", "8")
    invoke(
        agent_command,
        (*AGENT[1:], *flags),
        ARGOCD_AGENT_STATUS_BUDGET_BYTES="1",
        ARGOCD_AGENT_STATUS_BUDGET_COSMETIC="9",
    )
    assert made["agent"].budget == Budget(7, 8, 9)
    invoke(principal_command, (*PRINCIPAL[1:], "--max-agent-objects", "0"))
    assert made["principal"].max_agent_objects == 0
    invoke(principal_command, PRINCIPAL[1:], ARGOCD_PRINCIPAL_MAX_AGENT_OBJECTS="5")
    assert made["principal"].max_agent_objects == 5


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ((*AGENT, "--status-budget-records", "0"), "--status-budget-records"),
        ((*AGENT, "--status-budget-bytes", "4MiB"), "--status-budget-bytes"),
        ((*AGENT, "--status-budget-cosmetic", "-1"), "--status-budget-cosmetic"),
        ((*PRINCIPAL, "--max-agent-objects", "-1"), "--max-agent-objects"),
        ((*PRINCIPAL, "--max-hub-writes", "many"), "--max-hub-writes"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(run: Run, given: tuple[str, ...], hint: str) -> None:
    """With the option's name."""
    assert hint in run(*given).line
