"""How many instructions take a frame, a message, an object, a replicated change and a simulated second?

python -m benchmarks.instructions [--quick] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "instructions", *sys.argv[1:]])
