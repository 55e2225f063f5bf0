"""PURE: how Redis speaks (``resp``), and what Argo CD keeps there (``argocache``)."""
