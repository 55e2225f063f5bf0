"""Does a quiet agent notice a flooding one? Its latencies alone, and beside one that never stops.

python -m benchmarks.fleet_fairness [--quick] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "fairness", *sys.argv[1:]])
