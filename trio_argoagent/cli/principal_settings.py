"""What the options of a principal mean together, and whether they can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trio_argoagent.cli.auth_options import AuthOptions
from trio_argoagent.cli.link_tls_options import PrincipalTls
from trio_argoagent.cli.observing_options import ObservingOptions
from trio_argoagent.cli.proxy_options import ProxyOptions
from trio_argoagent.cli.redis_options import RedisOptions
from trio_argoagent.cli.registration_options import read_registration
from trio_argoagent.errors import UserError
from trio_argoagent.runtime.config import NamespaceCreation, PrincipalConfig
from trio_argoagent.runtime.enrolment import Rules
from trio_argoagent.runtime.options.programs import PRINCIPAL
from trio_argoagent.runtime.options.reading import Check, pick
from trio_argoagent.sync.guard import Limits
from trio_argoagent.sync.policy import Local


def principal_config(values: Mapping[str, Any]) -> PrincipalConfig:
    """The settings that the options ask for.

    Raises:
        UserError: they contradict each other.
    """
    creates = values["namespace_create_enable"]
    creation = NamespaceCreation(values["namespace_create_pattern"], values["namespace_create_labels"])
    if creation != NamespaceCreation() and not creates:
        raise UserError("--namespace-create-pattern and -labels: need --namespace-create-enable")
    return PrincipalConfig(
        values["namespace"],
        values["keepalive"],
        limits=Limits.of(values["max_deletions"], values["max_inferred_deletions"]),
        local=Local(values["local_annotations"], values["local_labels"]),
        registration=read_registration(
            enabled=values["enable_self_cluster_registration"],
            secret=values["self_registration_client_cert_secret"],
            address=values["resource_proxy_address"],
        ),
        intent_expiry=values["intent_expiry"],
        max_link_age=values["max_link_age"],
        hub_writes=values["max_hub_writes"],
        max_agent_objects=values["max_agent_objects"],
        style=values["destination_based_mapping"],
        allowed_namespaces=values["allowed_namespaces"],
        selector=values["label_selector"],
        creation=creation if creates else None,
    )


def enrolment_rules(values: Mapping[str, Any]) -> Rules:
    """What the options say of certificates that the principal issues."""
    return Rules(
        lifetime=values["certificate_lifetime"],
        window=values["rejoin_window"],
        registers=values["enable_self_cluster_registration"],
        issues=values["enroll"],
    )


def _tls(values: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    if not values["insecure_plaintext"]:
        PrincipalTls.of(values).check()


def _versions(values: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    PrincipalTls.of(values).settings  # noqa: B018


def _auth(values: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    pick(AuthOptions, values).read(values["namespace"], PrincipalTls.of(values))


def _redis(values: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    RedisOptions.of(PRINCIPAL, values).check()


def _proxies(values: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    pick(ProxyOptions, values).check(tls=values["redis_tls_enabled"])


def _ports(values: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    pick(ObservingOptions, values).check()


def _objects(values: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    principal_config(values)


CHECKS: Final[tuple[Check, ...]] = (_objects, _auth, _tls, _versions, _redis, _proxies, _ports)
"""What is wrong with options only together."""
