"""argocd-agent's own scenarios, named as it names them, for a reader to tick off (docs/parity.md).

Each is a story told to a ``Stage``: ``play`` runs it in virtual time on embedded API servers, or, where
``TRIO_ARGOAGENT_TEST_KUBECONFIG`` names real clusters (``make interop``), on those.
"""
