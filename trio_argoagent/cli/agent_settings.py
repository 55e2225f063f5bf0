"""What the options of an agent mean together, and whether they can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trio_argoagent.cli.auth_options import CredsOptions
from trio_argoagent.cli.bootstrap_options import Bootstrap
from trio_argoagent.cli.link_tls_options import AgentTls
from trio_argoagent.cli.observing_options import ObservingOptions
from trio_argoagent.cli.redis_options import RedisOptions
from trio_argoagent.runtime.config import AgentConfig
from trio_argoagent.runtime.options.programs import AGENT
from trio_argoagent.runtime.options.reading import Check, pick
from trio_argoagent.sync.flow import Budget
from trio_argoagent.sync.guard import Limits
from trio_argoagent.sync.patterns import NONE
from trio_argoagent.sync.policy import Local, Policies


def agent_config(values: Mapping[str, Any]) -> AgentConfig:
    """The settings that the options ask for.

    Raises:
        UserError: they contradict each other.
    """
    intervals = values["keep_alive_ping_interval"], values["heartbeat_interval"]
    return AgentConfig(
        values["namespace"],
        values["agent_mode"],
        limits=Limits.of(values["max_deletions"], values["max_inferred_deletions"]),
        policies=Policies(
            values["adoption_policy"],
            values["source_uid_mismatch_policy"],
            values["on_application_recreate"],
            Local(values["local_annotations"], values["local_labels"]),
        ),
        count_every=values["cache_refresh_interval"],
        style=values["destination_based_mapping"],
        allowed_namespaces=values["allowed_namespaces"] or NONE,
        creates_namespaces=values["create_namespace"],
        selector=values["label_selector"],
        ignores_unmanaged=values["ignore_unmanaged_apps"],
        budget=Budget(
            values["status_budget_records"], values["status_budget_bytes"], values["status_budget_cosmetic"]
        ),
        tunnel_addresses=values["tunnel_addresses"],
        keepalive=min(filter(None, intervals), default=0.0),
        patience=values["informer_sync_timeout"],
    )


def bootstrap_of(values: Mapping[str, Any]) -> Bootstrap:
    """What the options say of the agent's certificate."""
    return Bootstrap(values["bootstrap_token"], values["bootstrap_token_file"], values["renew"])


def _tls(values: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    if not values["insecure_plaintext"]:
        AgentTls.of(values).check()


def _creds(values: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    where = values["server_address"], values["server_port"]
    pick(CredsOptions, values).read(environ, AgentTls.of(values), bootstrap_of(values), *where)


def _bootstrap(values: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    bootstrap_of(values).check(insecure=values["insecure_tls"])


def _versions(values: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    AgentTls.of(values).settings  # noqa: B018


def _redis(values: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    RedisOptions.of(AGENT, values).check()


def _ports(values: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    pick(ObservingOptions, values).check()


def _objects(values: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    agent_config(values)


CHECKS: Final[tuple[Check, ...]] = (_objects, _creds, _bootstrap, _tls, _versions, _redis, _ports)
"""What is wrong with options only together."""
