"""Questions about Kubernetes clients beside the official one, and about the embedded API server.

side       a process for the server, and one for each client
worker     runs these processes
listing    a collection is read
watching   changes are followed
patching   merge patches are written
idling     watches are open on which nothing happens
apiserver  what the server answers a second, with and without watchers
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trio_argoagent.bench.kube import apiserver, idling, listing, patching, watching
from trio_argoagent.bench.questions import Question

FAMILY: Final = "kube"
_ALL = (listing, watching, patching, idling, apiserver)
QUESTIONS: Final[Mapping[str, Question]] = {asked.QUESTION.name: asked.QUESTION for asked in _ALL}
"""By name."""
