"""Is an update lost, or stale, after each kind of trouble?

python -m benchmarks.fleet_faults [--quick] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "faults", *sys.argv[1:]])
