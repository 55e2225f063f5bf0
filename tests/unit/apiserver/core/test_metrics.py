"""What Prometheus is told."""

from __future__ import annotations

import attrs
from prometheus_client.parser import text_string_to_metric_families

from tests.unit.apiserver.core.helpers import app, make, new_server
from trio_argoagent.apiserver.core import metrics
from trio_argoagent.apiserver.core.requests import Asked
from trio_argoagent.apiserver.core.values import ServerStatistics


def test_the_text_is_what_prometheus_reads() -> None:
    """Each figure of the statistics once, under its name."""
    server = new_server()
    make(server, app())
    server.requests.add(Asked("get", "applications", 404))
    text = metrics.text(server.statistics(), server.requests.counts()).decode()
    families = list(text_string_to_metric_families(text))
    assert len(families) == len(attrs.fields(ServerStatistics)) + 1
    assert families[-1].samples[0].labels == {"verb": "get", "resource": "applications", "code": "404"}
    values = {sample.name: sample.value for family in families for sample in family.samples}
    assert values["trio_argoagent_apiserver_rv_total"] == server.rv
    assert values["trio_argoagent_apiserver_objects"] == server.statistics().objects
