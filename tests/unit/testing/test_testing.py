"""The public names of the kit."""

from __future__ import annotations

import subprocess
import sys

import pytest

from trio_argoagent import testing


def test_every_public_name_is_there_and_explained() -> None:
    """Each can be imported, and the package's docstring tells of it."""
    for name in testing.__all__:
        assert getattr(testing, name) is not None
        assert f"``{name}``" in (testing.__doc__ or "")
    assert set(testing.__all__) <= set(dir(testing))


def test_another_name_is_an_attribute_error() -> None:
    """A typo is told as everywhere."""
    with pytest.raises(AttributeError, match="Flet"):
        testing.Flet  # noqa: B018


def test_the_plugin_loads_nothing() -> None:
    """Pytest loads the plugin in every run of every project: it must not load trio, nor the product."""
    code = (
        "import sys, trio_argoagent.testing.plugin\n"
        "print([m for m in sys.modules if m.startswith('trio_argoagent.') or m == 'trio'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = ["trio_argoagent._version", "trio_argoagent.testing", "trio_argoagent.testing.plugin"]
    assert done.stdout.strip() == str(loaded)
