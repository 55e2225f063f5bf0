"""How many bytes does a reconnect cost, with 0, 1 and 10 of a thousand Applications changed meanwhile?

python -m benchmarks.fleet_reconnect [--quick] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "reconnect", *sys.argv[1:]])
