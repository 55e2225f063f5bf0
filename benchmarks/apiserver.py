"""What does the embedded API server take and cost, over HTTP/2?

python -m benchmarks.apiserver [--quick] [--output DIR]
"""

from __future__ import annotations

import sys

from trio_argoagent.cli import main

if __name__ == "__main__":
    main(["bench", "apiserver", *sys.argv[1:]])
