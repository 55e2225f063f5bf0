"""The options of budgets: by flag and by variable; what makes no sense is refused before anything starts."""

from __future__ import annotations

import pytest

from trio_argoagent.cli.agent_settings import agent_config
from trio_argoagent.cli.principal_settings import principal_config
from trio_argoagent.runtime.options.programs import AGENT, PRINCIPAL
from trio_argoagent.sync import allowance, flow
from trio_argoagent.sync.flow import Budget

from .conftest import Run
from .parsing import values_of
from .test_mapping_options import AGENT as AGENTS
from .test_mapping_options import PRINCIPAL as PRINCIPALS


def test_nothing_said() -> None:
    """The defaults of the values themselves."""
    assert agent_config(values_of(AGENT)).budget == flow.DEFAULT
    hub = principal_config(values_of(PRINCIPAL))
    assert (hub.max_agent_objects, hub.hub_writes) == (allowance.DEFAULT, 0.0)


def test_each_by_flag_and_by_variable() -> None:
    """The flag goes before."""
    flags = ("--status-budget-records", "7", "--status-budget-bytes", "8")
    variables = {"ARGOCD_AGENT_STATUS_BUDGET_BYTES": "1", "ARGOCD_AGENT_STATUS_BUDGET_COSMETIC": "9"}
    assert agent_config(values_of(AGENT, *flags, **variables)).budget == Budget(7, 8, 9)
    hub = principal_config(values_of(PRINCIPAL, "--max-agent-objects", "0"))
    assert hub.max_agent_objects == 0
    hub = principal_config(values_of(PRINCIPAL, ARGOCD_PRINCIPAL_MAX_AGENT_OBJECTS="5"))
    assert hub.max_agent_objects == 5


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ((*AGENTS, "--status-budget-records", "0"), "--status-budget-records"),
        ((*AGENTS, "--status-budget-bytes", "4MiB"), "--status-budget-bytes"),
        ((*AGENTS, "--status-budget-cosmetic", "-1"), "--status-budget-cosmetic"),
        ((*PRINCIPALS, "--max-agent-objects", "-1"), "--max-agent-objects"),
        ((*PRINCIPALS, "--max-hub-writes", "many"), "--max-hub-writes"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(run: Run, given: tuple[str, ...], hint: str) -> None:
    """With the option's name."""
    assert hint in run(*given).line
