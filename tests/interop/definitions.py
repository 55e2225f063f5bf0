"""Argo CD's own CustomResourceDefinitions, where there are copies of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import pytest

from trio_argoagent.apiserver.crds import argocd_crds
from trio_argoagent.model import yamltext

VARIABLE: Final = "TRIO_ARGOAGENT_TEST_CRDS"
"""Environment: a folder with what Argo CD has in manifests/crds."""

FOLDER: Final = Path(os.environ.get(VARIABLE) or "nowhere")
FILES: Final = tuple(
    FOLDER / f"{name}-crd.yaml" for name in ("application", "applicationset", "appproject")
)

AVAILABLE: Final = all(file.is_file() for file in FILES)


def best() -> list[dict[str, Any]]:
    """Argo CD's own definitions where there are copies of them, else the small ones of this package."""
    return [yamltext.load_one(file.read_bytes()) for file in FILES] if AVAILABLE else list(argocd_crds())


needed = pytest.mark.skipif(
    not AVAILABLE,
    reason=f"Argo CD's definitions are not here: {VARIABLE} may name a folder of them",
)
