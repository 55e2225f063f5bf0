"""What an ApplicationSet generates."""

from __future__ import annotations

import base64
from typing import Any

from trio_argoagent.model.objects import Object
from trio_argoagent.testing.argocd.generators import LOCAL, KnownCluster, clusters_of, generate
from trio_argoagent.testing.argocd.names import FAMILY, FAMILY_BACKGROUND, IN_CLUSTER

from .helpers import merge
from .sets import TEMPLATE, appset

M1 = KnownCluster("m1", "https://m1", {"region": "eu"})


def _secret(name: str, cluster: KnownCluster) -> Object:
    data = {"name": cluster.name, "server": cluster.server}
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    labels = dict(cluster.labels)
    return Object.of({"kind": "Secret", "metadata": {"name": name, "labels": labels}, "data": encoded})


def _generated(spec: dict[str, Any], *clusters: KnownCluster) -> list[str]:
    return [app["metadata"]["name"] for app in generate(appset(**spec), clusters)]


def test_a_list_yields_its_elements_in_order() -> None:
    """Placeholders are filled everywhere, values included, and unknown ones stay."""
    template = merge(TEMPLATE, {"metadata": {"labels": {"{{values.key}}": "{{ unknown }}-{{count}}"}}})
    elements = [{"name": "b", "ring": "r", "count": 3, "values": {"key": "k"}}, {"name": "a", "ring": "s"}]
    first, second = generate(appset(generators=[{"list": {"elements": elements}}], template=template), [])
    assert first["metadata"]["labels"] == {"ring": "r", "k": "{{ unknown }}-3"}
    assert (second["metadata"]["name"], second["spec"]["destination"]["namespace"]) == ("a", "a")
    assert first["metadata"]["namespace"] == "m1"


def test_clusters_yield_one_each_and_a_selector_leaves_the_local_one_out() -> None:
    """The cluster generator: name, server, labels and values."""
    plain: dict[str, Any] = {"generators": [{"clusters": {}}]}
    assert _generated(plain, LOCAL, M1) == ["in-cluster", "m1"]
    chosen = {"clusters": {"selector": {"matchLabels": {"region": "eu"}}, "values": {"x": "y"}}}
    template = merge(TEMPLATE, {"metadata": {"name": "{{name}}-{{metadata.labels.region}}-{{values.x}}"}})
    assert _generated({"generators": [chosen], "template": template}, LOCAL, M1) == ["m1-eu-y"]


def test_clusters_are_read_from_their_secrets() -> None:
    """The local cluster is known without one, and under another name with one."""
    assert clusters_of([_secret("z", M1)]) == (LOCAL, M1)
    named = KnownCluster("hub", IN_CLUSTER)
    assert clusters_of([_secret("z", M1), _secret("a", named)]) == (named, M1)


def test_finalizers() -> None:
    """RenderTemplateParams: the template's, else the plain family, else (preserve) none."""

    def finalizers(template: dict[str, Any], **policy: Any) -> Any:
        value = appset(template=merge(TEMPLATE, {"metadata": template}), syncPolicy=policy)
        return generate(value, [])[0]["metadata"].get("finalizers")

    assert finalizers({}) == [FAMILY]
    assert finalizers({"finalizers": [FAMILY_BACKGROUND]}) == [FAMILY_BACKGROUND]
    assert finalizers({}, preserveResourcesOnDeletion=True) is None
    assert finalizers({"finalizers": [FAMILY]}, preserveResourcesOnDeletion=True) == [FAMILY]


def test_specs_are_normalised() -> None:
    """NormalizeApplicationSpec: no fight with the application-controller."""
    template = merge(TEMPLATE, {"spec": {"project": "", "syncPolicy": {"automated": None}}})
    (app, _) = generate(appset(template=template), [])
    assert app["spec"]["project"] == "default"
    assert "syncPolicy" not in app["spec"]
