"""How many status changes a second reach the hub, beside what the hub"s server does alone; and their bytes.

python -m benchmarks.fleet_status [--quick] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "status-rate", "status-bytes", *sys.argv[1:]])
