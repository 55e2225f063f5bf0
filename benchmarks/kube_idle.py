"""What does it cost to have watches open on which nothing happens?

python -m benchmarks.kube_idle [--quick] [--side NAME] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "kube-idle", *sys.argv[1:]])
