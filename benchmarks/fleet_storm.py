"""How long until every agent is in step again, when all of them lose their links at once?

python -m benchmarks.fleet_storm [--quick] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "storm", *sys.argv[1:]])
