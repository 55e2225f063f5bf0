"""Every example and every code block of the page on testing does what it says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

import pytest

pytest_plugins = ["pytester"]
ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "testing.md"
BLOCK: Final = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPTIONS: Final = ("-p", "trio_argoagent.testing.plugin", "-W", "error", "--strict-markers")


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "examples").glob("[0-9]*")))
def test_an_example_passes(pytester: pytest.Pytester, name: str) -> None:
    """Copied out of this repository, without its settings, pytest runs it."""
    shutil.copytree(ROOT / "examples" / name, pytester.path / name)
    result = pytester.runpytest_subprocess(*OPTIONS)
    assert result.ret == pytest.ExitCode.OK


def test_the_page_on_testing_is_true(pytester: pytest.Pytester) -> None:
    """Its code blocks, in their order, are one test module that passes."""
    blocks = BLOCK.findall(PAGE.read_text())
    assert len(blocks) >= 6
    pytester.makepyfile("\n\n".join(blocks))
    result = pytester.runpytest_subprocess(*OPTIONS)
    assert result.ret == pytest.ExitCode.OK
    assert result.parseoutcomes()["passed"] > len(blocks)
