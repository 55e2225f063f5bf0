"""Assertions of the shipped contract suite are rewritten like those of the tests here."""

import pytest

pytest.register_assert_rewrite("trio_argoagent.testing.contracts")
