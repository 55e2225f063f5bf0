"""The kinds of the manifests that the embedded server does not serve, as definitions with strict schemas.

They know the fields that are used, and no others: a misspelt one is refused.
"""

from __future__ import annotations

from typing import Any, Final

TEXT: Final = {"type": "string"}
NUMBER: Final = {"type": "integer"}
FLAG: Final = {"type": "boolean"}
EITHER: Final = {"x-kubernetes-int-or-string": True}
TEXTS: Final = {"type": "array", "items": TEXT}
MAP: Final = {"type": "object", "additionalProperties": TEXT}


def fields(*required: str, **properties: Any) -> dict[str, Any]:
    """An object."""
    return {"type": "object", "properties": properties, **({"required": [*required]} if required else {})}


def listed(item: Any) -> dict[str, Any]:
    """A list."""
    return {"type": "array", "items": item}


SELECTOR: Final = fields(
    matchLabels=MAP, matchExpressions=listed(fields("key", "operator", key=TEXT, operator=TEXT, values=TEXTS))
)
REFERENCE: Final = fields("name", "key", name=TEXT, key=TEXT, optional=FLAG)
SECCOMP: Final = fields("type", type=TEXT)
PROBE: Final = fields(
    httpGet=fields("port", path=TEXT, port=EITHER),
    periodSeconds=NUMBER,
    timeoutSeconds=NUMBER,
    failureThreshold=NUMBER,
)
CONTAINER: Final = fields(
    "name",
    "image",
    name=TEXT,
    image=TEXT,
    args=TEXTS,
    ports=listed(fields("containerPort", name=TEXT, containerPort=NUMBER)),
    livenessProbe=PROBE,
    readinessProbe=PROBE,
    resources=fields(requests=MAP, limits=MAP),
    env=listed(
        fields("name", name=TEXT, valueFrom=fields(configMapKeyRef=REFERENCE, secretKeyRef=REFERENCE))
    ),
    securityContext=fields(
        allowPrivilegeEscalation=FLAG,
        readOnlyRootFilesystem=FLAG,
        capabilities=fields(drop=TEXTS),
        runAsNonRoot=FLAG,
        seccompProfile=SECCOMP,
    ),
)
POD: Final = fields(
    "containers",
    serviceAccountName=TEXT,
    automountServiceAccountToken=FLAG,
    enableServiceLinks=FLAG,
    securityContext=fields(runAsNonRoot=FLAG, runAsUser=NUMBER, runAsGroup=NUMBER, seccompProfile=SECCOMP),
    containers=listed(CONTAINER),
)
DEPLOYMENT: Final = fields(
    "selector",
    "template",
    replicas=NUMBER,
    strategy=fields(type={"type": "string", "enum": ["Recreate", "RollingUpdate"]}),
    selector=SELECTOR,
    template=fields(metadata=fields(labels=MAP), spec=POD),
)
SERVICE: Final = fields(
    ports=listed(fields("port", name=TEXT, port=NUMBER, targetPort=EITHER, protocol=TEXT)),
    selector=MAP,
    publishNotReadyAddresses=FLAG,
)
NETWORK_POLICY: Final = fields(
    "podSelector",
    podSelector=SELECTOR,
    policyTypes=TEXTS,
    ingress=listed(
        fields(
            ports=listed(fields(port=EITHER, protocol=TEXT)),
            **{"from": listed(fields(podSelector=SELECTOR, namespaceSelector=SELECTOR))},
        )
    ),
)
SERVICES: Final = "services.test"
"""In place of the core group, in which nothing can be defined."""
_KINDS: Final = (
    (SERVICES, "Service", "services", SERVICE),
    ("apps", "Deployment", "deployments", DEPLOYMENT),
    ("networking.k8s.io", "NetworkPolicy", "networkpolicies", NETWORK_POLICY),
)


def definitions() -> list[dict[str, Any]]:
    """CustomResourceDefinitions of them."""
    return [_definition(group, kind, plural, spec) for group, kind, plural, spec in _KINDS]


def _definition(group: str, kind: str, plural: str, spec: dict[str, Any]) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes/kubernetes"},
        },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
