"""How long does a hub edit take to the spoke, with embedded API servers?

python -m benchmarks.propagation [--quick] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "propagation", *sys.argv[1:]])
