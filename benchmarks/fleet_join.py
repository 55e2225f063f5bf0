"""How long until every Application of a new agent is there, and how much memory do the programs take then?

python -m benchmarks.fleet_join [--quick] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "join", *sys.argv[1:]])
