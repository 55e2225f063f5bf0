"""What does it cost to write merge patches: our client and the official one?

python -m benchmarks.kube_patch [--quick] [--side NAME] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "kube-patch", *sys.argv[1:]])
