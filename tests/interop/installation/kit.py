"""One cluster with an installation on it, and its Deployment as a process.

The process has the container's arguments and the environment that the Deployment makes of the ConfigMap; its
identity is a token of the Deployment's ServiceAccount. Nothing else gives it rights.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import attrs

from trio_argoagent.apiserver.core.access import Attributes
from trio_argoagent.apiserver.core.rbac import allows
from trio_argoagent.apiserver.core.users import User
from trio_argoagent.apiserver.http import kubeconfig
from trio_argoagent.apiserver.http.handler import Audited
from trio_argoagent.cli.manifests import Objects, built
from trio_argoagent.errors import NotFound
from trio_argoagent.kube.credentials import Credentials
from trio_argoagent.kube.protocol.requests import HttpRequest
from trio_argoagent.kube.session import open_session
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.ports.env import Env
from trio_argoagent.testing.machine import LOOPBACK, NAMESPACE, USER, Machine, Pki

from ..programs import Program
from .workloads import SERVICES, definitions

PATHS = {
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Service": f"/apis/{SERVICES}/v1/namespaces/{{}}/services",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
}
"""Where the objects of each kind are."""


def served(value: dict[str, Any]) -> dict[str, Any]:
    """The object as it can be stored where nobody defines kinds of the core group."""
    return value | {"apiVersion": f"{SERVICES}/v1"} if value["kind"] == "Service" else value


ANSWERED = range(200, 500)
"""Codes of what the server has not lost."""
SERVED = range(200, 400)
"""Codes of what has been done."""


async def apply(credentials: Credentials, objects: Objects) -> None:
    """Server-side apply of each, with nothing unknown let through."""
    head = (("content-type", "application/apply-patch+yaml"), ("accept", "application/json"))
    async with open_session(credentials) as session:
        for value in objects:
            path = PATHS[value["kind"]].format(NAMESPACE)
            target = f"{path}/{value['metadata']['name']}?fieldManager=installer&fieldValidation=Strict"
            answer = await session.request(HttpRequest("PATCH", target, head, json.dumps(value).encode()))
            assert answer.status in (200, 201), (value["kind"], answer.body)


async def token_of(credentials: Credentials, account: str) -> str:
    """A token of a ServiceAccount, as a pod gets it."""
    head = (("content-type", "application/json"), ("accept", "application/json"))
    path = f"{PATHS['ServiceAccount'].format(NAMESPACE)}/{account}/token"
    async with open_session(credentials) as session:
        answer = await session.request(HttpRequest("POST", path, head, b"{}"))
    assert answer.status == 201, answer.body
    return str(json.loads(answer.body)["status"]["token"])


class Site:
    """See the module.

    Args:
        name: of the cluster.
        overlay: what is installed there.
        components: with that.
        pki: certifies its API server.
        env: time and randomness.
        folder: for kubeconfigs.
        changed: called when something has been written or asked for there.
    """

    def __init__(
        self,
        name: str,
        overlay: str,
        components: Sequence[str],
        pki: Pki,
        env: Env,
        folder: Path,
        changed: Callable[[], None],
    ) -> None:
        self.name = name
        self.objects = built(overlay, components)
        self.audited: list[Audited] = []
        self.machine = Machine(name, pki, env, folder, self._note)
        self._changed = changed
        self.program = Program()
        self._folder, self._pki = folder, pki
        (self.deployment,) = (each for each in self.objects if each["kind"] == "Deployment")

    @property
    def account(self) -> str:
        """The ServiceAccount of the Deployment."""
        return str(self.deployment["spec"]["template"]["spec"]["serviceAccountName"])

    async def install(self, settings: Mapping[str, str]) -> None:
        """Apply the manifests, with these entries of the ConfigMap, and make the process ready to start."""
        for definition in definitions():
            self.machine.server.add_crd(definition, now=0.0)
        admin = self.machine.credentials(USER)
        (params,) = (each for each in self.objects if each["kind"] == "ConfigMap")
        params["data"] |= settings
        await apply(admin, [served(each) for each in self.objects])
        token = await token_of(admin, self.account)
        path = self._folder / f"{self.name}.pod"
        path.write_text(kubeconfig(LOOPBACK, admin.port, self._pki.ca, token, self.name, NAMESPACE))
        (container,) = self.deployment["spec"]["template"]["spec"]["containers"]
        self.program.arguments = container["args"]
        self.program.environ = {"KUBECONFIG": str(path), **self._environment(container, params["data"])}

    def _environment(self, container: Mapping[str, Any], data: Mapping[str, str]) -> dict[str, str]:
        found = {}
        for variable in container["env"]:
            ((kind, source),) = variable["valueFrom"].items()
            if kind == "configMapKeyRef" and source["key"] in data:
                found[variable["name"]] = data[source["key"]]
            elif kind == "secretKeyRef" and (value := self._secret(source["name"], source["key"])):
                found[variable["name"]] = value
        return found

    def _secret(self, name: str, key: str) -> str:
        try:
            data = self.machine.server.get(SECRETS, NAMESPACE, name).value["data"]
        except NotFound:
            return ""
        return base64.b64decode(data.get(key, "")).decode()

    @property
    def user(self) -> str:
        """The account, as requests name it."""
        return User.account(NAMESPACE, self.account).name

    def asked(self, code: range = SERVED) -> list[Attributes]:
        """What the account has asked for and was answered so."""
        return [
            each.wanted for each in self.audited if each.user.name == self.user and each.code in code
        ]

    def has_asked(self, verb: str, resource: str, code: range = SERVED) -> bool:
        """Has it done that?"""
        return any((each.verb, each.resource) == (verb, resource) for each in self.asked(code))

    def _note(self, audited: Audited) -> None:
        self.audited.append(audited)
        self._changed()


@attrs.frozen
class Right:
    """The smallest part of a rule: one verb on one resource.

    Attributes:
        role: that grants it: its kind and name.
        namespaced: in the installation's namespace only?
        rule: as in a role.
    """

    role: str
    namespaced: bool
    rule: Mapping[str, Sequence[str]]

    def __str__(self) -> str:
        (verb,), (group,), (resource,) = (self.rule[key] for key in ("verbs", "apiGroups", "resources"))
        named = f" named {', '.join(self.rule['resourceNames'])}" if "resourceNames" in self.rule else ""
        return f"{self.role}: {verb} {resource}{'.' if group else ''}{group}{named}"

    def needed_for(self, wanted: Attributes) -> bool:
        """Would it be refused without this? What a namespace's Role gives needs no ClusterRole."""
        inside = wanted.namespace == NAMESPACE
        return inside is self.namespaced and allows(self.rule, wanted)


def rights(objects: Objects) -> list[Right]:
    """Everything that the roles among these objects grant."""
    found = []
    for each in objects:
        for rule in each.get("rules") or () if each["kind"] in ("Role", "ClusterRole") else ():
            names = {"resourceNames": rule["resourceNames"]} if "resourceNames" in rule else {}
            found += [
                Right(
                    f"{each['kind']} {each['metadata']['name']}",
                    each["kind"] == "Role",
                    {"verbs": [verb], "apiGroups": [group], "resources": [resource], **names},
                )
                for group, resource, verb in product(rule["apiGroups"], rule["resources"], rule["verbs"])
            ]
    return found
