"""A process of these questions: ``python -m trio_argoagent.bench.kube.worker MODULE ...`` runs its ``main``.

The package imports all its questions, so none of them can be a program itself without being loaded twice.
"""

from __future__ import annotations

import importlib
import sys

if __name__ == "__main__":
    importlib.import_module(sys.argv[1]).main(*sys.argv[2:])
