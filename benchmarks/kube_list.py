"""What does it cost to read a collection: our client, our informer, the official client?

python -m benchmarks.kube_list [--quick] [--side NAME] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "kube-list", *sys.argv[1:]])
