"""How long until both sides agree again after a partition, and what does it take?

python -m benchmarks.fleet_partition [--quick] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "partition", *sys.argv[1:]])
