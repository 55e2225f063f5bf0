"""Assertions of the shipped contract suites are rewritten like those of the tests here."""

import pytest

pytest.register_assert_rewrite(
    "trio_argoagent.testing.contracts",
    "trio_argoagent.testing.transport_contract",
    "trio_argoagent.testing.transport_troubles",
    "trio_argoagent.testing.tunnel_contract",
)
