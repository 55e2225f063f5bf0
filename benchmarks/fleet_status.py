"""How many changes a second cross, beside what the other side's server does alone; and the bytes of a status.

python -m benchmarks.fleet_status [--quick] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "status-rate", "spec-rate", "status-bytes", *sys.argv[1:]])
