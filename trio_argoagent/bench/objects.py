"""What Applications are filled with: padding of one letter would flatter every parser."""

from __future__ import annotations

import hashlib
from typing import Any


def status(number: int, count: int) -> dict[str, Any]:
    """What Argo CD says of an Application of so many resources: 215 bytes for each, none like another."""
    resources = []
    for each in range(count):
        tag = hashlib.sha256(f"{number}/{each}".encode()).hexdigest()
        resources.append(
            {
                "group": "apps",
                "kind": "Deployment",
                "name": f"service-{tag[:12]}",
                "namespace": f"team-{number}",
                "status": "Synced",
                "version": "v1",
                "syncWave": each % 5,
                "health": {"status": "Healthy", "message": f"revision {tag[12:32]} is available"},
            }
        )
    return {
        "resources": resources,
        "sync": {"status": "Synced", "revision": hashlib.sha256(str(number).encode()).hexdigest()[:40]},
        "health": {"status": "Healthy"},
    }
