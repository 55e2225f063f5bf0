"""What all clusters of a fleet hold at one moment: to be compared, and to be read.

Two snapshots of one fleet tell what an outage changed; two of the same seed are equal. Left out are the
definitions of custom resources, and resourceVersions and generations: they count writes, and tell no state.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs

from trio_argoagent.apiserver.core.kinds import CRDS
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.model.objects import decode
from trio_argoagent.testing.discretion import masked

ObjectName: TypeAlias = tuple[str, str, str, str]
"""Cluster, kind, namespace, name."""
MAX_SHOWN: Final = 80
"""Characters of a value in a diff; longer ones are cut, and end in an ellipsis."""
_NOTHING: Final = object()


@attrs.frozen
class Snapshot:
    """See the module. Equal snapshots hold equal objects.

    Attributes:
        objects: the JSON value of each object, by its name.
    """

    objects: Mapping[ObjectName, Mapping[str, Any]]

    def only(self, *, cluster: str = "", kind: str = "") -> Snapshot:
        """The part of one cluster, or of one kind, or of both."""
        return Snapshot(
            {
                name: value
                for name, value in self.objects.items()
                if cluster in ("", name[0]) and kind in ("", name[1])
            }
        )

    def without(self, *fields: str) -> Snapshot:
        """The same without some fields of each object.

        Args:
            fields: paths with dots: ``status``, ``metadata.annotations``.
        """
        return Snapshot({name: _drop(value, fields) for name, value in self.objects.items()})

    def diff(self, later: Snapshot) -> list[str]:
        """What has changed until a later snapshot, one line for each object that came or went, and field.

        The values of Secrets are masked.
        """
        lines: list[str] = []
        for name in sorted({*self.objects, *later.objects}):
            if name not in later.objects:
                lines.append(f"- {title(name)}")
            elif name not in self.objects:
                lines.append(f"+ {title(name)}")
            else:
                changed = changes(masked(self.objects[name]), masked(later.objects[name]), "")
                lines.extend(f"~ {title(name)}: {change}" for change in changed)
        return lines

    def __str__(self) -> str:
        return "\n".join(title(name) for name in sorted(self.objects))


def title(name: ObjectName) -> str:
    """How people call an object: ``hub Application east/web``."""
    cluster, kind, namespace, short = name
    return f"{cluster} {kind} {namespace}/{short}" if namespace else f"{cluster} {kind} {short}"


def take_snapshot(clusters: Mapping[str, ApiServer]) -> Snapshot:
    """What these clusters hold now.

    Args:
        clusters: the servers by the names that the snapshot calls them.
    """
    return Snapshot(
        {name: value for cluster, server in clusters.items() for name, value in _all(cluster, server)}
    )


def _all(cluster: str, server: ApiServer) -> Iterator[tuple[ObjectName, dict[str, Any]]]:
    for each in server.resources():
        if each.resource == CRDS or "list" not in each.verbs:
            continue
        for item in server.list(each).items:
            # A copy: the server's own value must not be shared with a test.
            value = decode(item.json)
            meta = value["metadata"]
            for counter in ("resourceVersion", "generation"):
                meta.pop(counter, None)
            yield (cluster, each.resource.kind, meta.get("namespace", ""), meta["name"]), value


def _drop(value: Mapping[str, Any], fields: Sequence[str]) -> Mapping[str, Any]:
    kept = dict(value)
    for field in fields:
        head, _, rest = field.partition(".")
        if not rest:
            kept.pop(head, None)
        elif isinstance(kept.get(head), Mapping):
            kept[head] = _drop(kept[head], [rest])
    return kept


def changes(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Each field that differs between two JSON values, one line each, with both values.

    Lists are compared as a whole: their items have no names to tell them by.
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            below = f"{path}.{key}" if path else key
            yield from changes(before.get(key, _NOTHING), after.get(key, _NOTHING), below)
    elif before != after:
        yield f"{path or 'it'}: {_shown(before)} -> {_shown(after)}"


def _shown(value: Any) -> str:
    if value is _NOTHING:
        return "nothing"
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"
