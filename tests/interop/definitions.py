"""Argo CD's own CustomResourceDefinitions, where there are copies of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

VARIABLE: Final = "TRIO_ARGOAGENT_TEST_CRDS"
"""Environment: a folder with what Argo CD has in manifests/crds."""

FOLDER: Final = Path(os.environ.get(VARIABLE) or "nowhere")
FILES: Final = tuple(
    FOLDER / f"{name}-crd.yaml" for name in ("application", "applicationset", "appproject")
)

needed = pytest.mark.skipif(
    not all(file.is_file() for file in FILES),
    reason=f"Argo CD's definitions are not here: {VARIABLE} may name a folder of them",
)
