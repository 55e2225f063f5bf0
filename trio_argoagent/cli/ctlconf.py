"""``ctl.conf``: names for the hub and the spokes, so that nobody types contexts and namespaces.

The format is argocd-agentctl's: ``contexts.{principals,agents}.<name>.{kube-context,namespace}`` and
``default-principal``.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from trio_argoagent.errors import UserError
from trio_argoagent.model import yamltext
from trio_argoagent.model.identity import is_dns_label

USUAL: Final = "~/.config/argocd-agent/ctl.conf"
"""Where it is, unless ``--config`` names another."""
KINDS: Final = ("principal", "agent")


@attrs.frozen
class Entry:
    """Where one installation is.

    Attributes:
        context: of the kubeconfig.
        namespace: Argo CD's there.
    """

    context: str
    namespace: str


@attrs.frozen
class Names:
    """The content of the file.

    Attributes:
        principals: by name.
        agents: by name.
        default: the principal that is meant where none is named; empty: none.
    """

    principals: Mapping[str, Entry] = attrs.field(factory=dict)
    agents: Mapping[str, Entry] = attrs.field(factory=dict)
    default: str = ""

    def of(self, kind: str) -> Mapping[str, Entry]:
        """The entries of ``principal`` or ``agent``."""
        return self.principals if kind == "principal" else self.agents

    def find(self, kind: str, name: str, path: str) -> Entry:
        """One of them.

        Raises:
            UserError: there is none of this name.
        """
        found = self.of(kind).get(name)
        if found is None:
            known = ", ".join(self.of(kind)) or "none"
            raise UserError(f"--{kind} {name}: {path} does not name it (it names: {known})")
        return found

    def put(self, kind: str, name: str, entry: Entry | None) -> Names:
        """With this entry; None: without it."""
        kept = {each: value for each, value in self.of(kind).items() if each != name}
        if entry is not None:
            kept[name] = entry
        entries = dict(sorted(kept.items()))
        if kind == "principal":
            return attrs.evolve(self, principals=entries)
        return attrs.evolve(self, agents=entries)


def file_of(path: str) -> Path:
    """The file that is meant, of ``~`` where nobody knows the home: there is none."""
    # Path.expanduser fails there.
    return Path(os.path.expanduser(path or USUAL))


def read(path: str, *, new: bool = False) -> Names:
    """Read the file; the usual one may be missing.

    Args:
        path: empty: the usual one.
        new: may one that is named be missing, too?

    Raises:
        UserError: it cannot be read, or is something else.
    """
    file = file_of(path)
    try:
        data = file.read_bytes()
    except FileNotFoundError as exc:
        if new or not path:
            return Names()
        raise UserError(f"--config: there is no {file}; to make one: trio-argoagent ctl config add") from exc
    except OSError as exc:
        raise UserError(f"cannot read {file}: {exc.strerror}") from exc
    try:
        found = yamltext.load(data)
        return _names(found[0] if found else {})
    except ValueError as exc:
        raise UserError(f"{file} is no ctl.conf: {exc}") from exc


def write(path: str, names: Names) -> Path:
    """Write the file whole, or leave it as it was; returns where.

    Raises:
        UserError: it cannot be written, or would not be valid.
    """
    import yaml

    try:
        _check(names)
    except ValueError as exc:
        raise UserError(str(exc)) from exc
    file = file_of(path)
    if file.parts[0].startswith("~"):
        raise UserError(f"cannot write {file}: nobody knows that home; set HOME, or give the whole path")
    text = yaml.safe_dump(_document(names), sort_keys=False)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, new = tempfile.mkstemp(dir=file.parent, prefix=file.name)  # made with mode 0600
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
        os.replace(new, file)
    except OSError as exc:
        raise UserError(f"cannot write {file}: {exc.strerror}") from exc
    return file


def _names(value: Any) -> Names:
    contexts = _mapping(_mapping(value, "it").get("contexts"), "contexts")
    names = Names(
        _entries(contexts.get("principals"), "principals"),
        _entries(contexts.get("agents"), "agents"),
        str(value.get("default-principal") or ""),
    )
    _check(names)
    return names


def _entries(value: Any, what: str) -> dict[str, Entry]:
    found = {name: _mapping(each, f"{what}: {name}") for name, each in _mapping(value, what).items()}
    return {
        name: Entry(str(each.get("kube-context") or ""), str(each.get("namespace") or ""))
        for name, each in sorted(found.items())
    }


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    """Raises ValueError unless it is one, or nothing."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be a mapping")
    return value


def _check(names: Names) -> None:
    """Raises ValueError unless all that is in it can be meant."""
    for kind in KINDS:
        for name, entry in names.of(kind).items():
            if not name or name.split() != [name]:
                raise ValueError(f"{kind} {name!r}: a name is one word")
            if not entry.context:
                raise ValueError(f"{kind} {name}: it has no kube-context")
            if not is_dns_label(entry.namespace):
                raise ValueError(f"{kind} {name}: {entry.namespace!r} cannot be a namespace")
    if names.default and names.default not in names.principals:
        raise ValueError(f"default-principal {names.default!r} is none of the principals")


def _document(names: Names) -> dict[str, Any]:
    contexts = {
        f"{kind}s": {
            name: {"kube-context": entry.context, "namespace": entry.namespace}
            for name, entry in names.of(kind).items()
        }
        for kind in KINDS
    }
    return {"contexts": contexts, "default-principal": names.default}
