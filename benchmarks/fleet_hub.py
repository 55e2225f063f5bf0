"""What does the principal take for each connected agent?

python -m benchmarks.fleet_hub [--quick] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "hub-cost", *sys.argv[1:]])
