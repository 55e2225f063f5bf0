"""Kubeconfigs, read as kubectl reads them.

Who reads them is decided by what they hold. Files, tokens and certificates are read here: that is looking up
named entries. Plugins and sign-in providers are programs and protocols, and ``kubernetes.config`` runs them
(``plugins``). To load that package for a file with a token in it would cost an agent 19 MiB, a third of all
it may use on a small spoke. The tests hold this reader against that package, field by field.

Where the two differ this one does as kubectl: the first file that names a current context decides, a
tokenFile is preferred to a token, and whom to impersonate and which proxy to use is heeded.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import attrs
import msgspec

from trio_argoagent.errors import UserError
from trio_argoagent.kube.credentials import Credentials, bearer, read_file
from trio_argoagent.model import yamltext
from trio_argoagent.net.proxy import parse_proxy, proxy_for

_LISTS: Final = ("clusters", "contexts", "users")
_ROTATING: Final = ("tokenFile", "client-certificate", "client-key")


@attrs.frozen
class Entry:
    """One named cluster, context or user.

    Attributes:
        value: what stands under its name.
        folder: of its file: paths in it are relative to that.
    """

    value: Mapping[str, Any]
    folder: Path


@attrs.frozen
class Proof:
    """What shows who we are.

    Attributes:
        token: a bearer token; empty: none.
        certificate: PEM; None: none.
        key: PEM; None: none.
        lifetime: seconds until it expires, by its own account; None: it does not say.
    """

    token: str = attrs.field(default="", repr=False)
    certificate: bytes | None = attrs.field(default=None, repr=False)
    key: bytes | None = attrs.field(default=None, repr=False)
    lifetime: float | None = None


Ask = Callable[[Entry, Entry], Proof]
"""Runs the plugin or provider of a user, for a cluster."""


def load(path: str, context: str, environ: Mapping[str, str], ask: Ask) -> Credentials:
    """The credentials of one context.

    Args:
        path: one or several, as in ``$KUBECONFIG``; those that do not exist are passed over.
        context: empty: the current one.
        environ: where a proxy may be named.
        ask: for users with a plugin or a sign-in provider.

    Raises:
        UserError: a file, the context or its user cannot be used.
    """
    config = Kubeconfig.read(path)
    where = f"context {context!r}" if context else "the current context"
    try:
        return _resolve(config, context, where, environ, ask)
    except UserError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError, binascii.Error) as exc:
        known = ", ".join(config.entries["contexts"]) or "none"
        raise UserError(
            f"{where} of the kubeconfig {path} cannot be used: {_one_line(exc)} (contexts: {known})"
        ) from exc


@attrs.frozen
class Kubeconfig:
    """Several files as one: of two entries with one name the first counts."""

    entries: Mapping[str, Mapping[str, Entry]]
    current: str

    @classmethod
    def read(cls, path: str) -> Kubeconfig:
        """Read and merge.

        Raises:
            UserError: there is no such file, or it is no kubeconfig.
        """
        # Path.expanduser fails where nobody knows the home; a file of such a path is a missing one.
        expanded = [Path(os.path.expanduser(part)) for part in path.split(os.pathsep) if part]
        present = [part for part in expanded if not _is_missing(part)]
        if not present:
            raise UserError(f"no kubeconfig at {path}: give its path, or set KUBECONFIG")
        entries: dict[str, dict[str, Entry]] = {kind: {} for kind in _LISTS}
        current = ""
        for file in present:
            content = _parse(file)
            current = current or str(content.get("current-context") or "")
            for kind in _LISTS:
                for name, value in _named(content.get(kind), kind[:-1], file):
                    entries[kind].setdefault(name, Entry(value, file.absolute().parent))
        return cls(entries, current)

    def find(self, kind: str, name: str) -> Entry:
        """An entry by name.

        Raises:
            KeyError: there is none; says so.
        """
        found = self.entries[kind].get(name)
        if found is None:
            raise KeyError(f"it names no {kind[:-1]}" if not name else f"no {kind[:-1]} {name!r}")
        return found


def _is_missing(file: Path) -> bool:
    """Is it said not to exist? What else can be wrong with it, whoever reads it says."""
    try:
        file.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def _parse(file: Path) -> Mapping[str, Any]:
    data = read_file(file)
    try:
        # JSON is YAML, and needs no parser of its own.
        content = msgspec.json.decode(data)
    except (msgspec.MsgspecError, RecursionError):
        content = _parse_yaml(file, data)
    if not isinstance(content, dict):
        raise UserError(f"{file} is not a kubeconfig: it must be a mapping with contexts and users")
    return content


def _parse_yaml(file: Path, data: bytes) -> Any:
    try:
        return yamltext.load_one(data) if data.strip() else None
    except yamltext.NotYaml as exc:
        raise UserError(f"the kubeconfig {file} is not YAML: {exc}") from exc


def _named(values: Any, kind: str, file: Path) -> Sequence[tuple[str, Mapping[str, Any]]]:
    wrong = UserError(f"{file} is not a kubeconfig: its {kind}s must be a list of names with a {kind} each")
    if not isinstance(values or [], list):
        raise wrong
    found = []
    for value in values or []:
        if not isinstance(value, dict) or not isinstance(value.get(kind) or {}, dict):
            raise wrong
        found.append((str(value.get("name") or ""), value.get(kind) or {}))
    return found


def _resolve(
    config: Kubeconfig, context: str, where: str, environ: Mapping[str, str], ask: Ask
) -> Credentials:
    chosen = config.find("contexts", context or config.current).value
    cluster = config.find("clusters", str(chosen.get("cluster") or ""))
    user = Entry({}, cluster.folder)
    if chosen.get("user"):
        user = config.find("users", str(chosen["user"]))
    address = urlsplit(str(cluster.value.get("server") or ""))
    if address.scheme not in ("http", "https") or not address.hostname:
        raise UserError(f"{where} has no server address: write server: https://...")
    tls = address.scheme == "https"
    host, port = address.hostname, address.port or (443 if tls else 80)
    proof = _proof(user, cluster, where, ask)
    return Credentials(
        host,
        port,
        ca=_data(cluster, "certificate-authority") if tls else None,
        certificate=proof.certificate if tls else None,
        key=proof.key if tls else None,
        token=proof.token,
        namespace=str(chosen.get("namespace") or ""),
        tls=tls,
        verify=not cluster.value.get("insecure-skip-tls-verify"),
        server_name=str(cluster.value.get("tls-server-name") or ""),
        prefix=address.path.rstrip("/"),
        impersonate=_impersonation(user.value),
        proxy=_proxy(cluster.value, where, environ, host, port) if tls else "",
        rotates=any(user.value.get(field) for field in _ROTATING),
        lifetime=proof.lifetime,
    )


def _proof(user: Entry, cluster: Entry, where: str, ask: Ask) -> Proof:
    token = bearer(str(user.value.get("token") or "").encode(), f"the token of {where}")
    if user.value.get("tokenFile"):
        path = user.folder / str(user.value["tokenFile"])
        token = bearer(read_file(path), str(path))
    certificate, key = _data(user, "client-certificate"), _data(user, "client-key")
    if (certificate is None) != (key is None):
        raise UserError(f"{where} has only one of client-certificate and client-key: it takes both")
    if token or not (user.value.get("exec") or user.value.get("auth-provider")):
        if not token and certificate is None and user.value.get("username"):
            raise UserError(f"{where} has a user name and password, which API servers no longer take")
        return Proof(token, certificate, key)
    found = ask(user, cluster)
    if not (found.token or found.certificate):
        # Never go on as nobody.
        if user.value.get("exec"):
            command = user.value["exec"].get("command", "")
            raise UserError(
                f"the plugin {command!r} of {where} gave no credentials: run it by hand to see why"
            )
        raise UserError(f"the auth-provider of {where} gave no token: sign in again with its own tool")
    return found if found.certificate else attrs.evolve(found, certificate=certificate, key=key)


def _data(entry: Entry, field: str) -> bytes | None:
    """What a field holds, inline or as the path of a file; inline counts first."""
    if entry.value.get(f"{field}-data"):
        return base64.b64decode("".join(str(entry.value[f"{field}-data"]).split()), validate=True)
    path = entry.value.get(field)
    return read_file(entry.folder / str(path)) if path else None


def _proxy(
    cluster: Mapping[str, Any], where: str, environ: Mapping[str, str], host: str, port: int
) -> str:
    url = str(cluster.get("proxy-url") or "") or proxy_for(environ, host, port)
    if url:
        try:
            parse_proxy(url)
        except UserError as exc:
            raise UserError(f"{where}: {exc}") from exc
    return url


def _impersonation(user: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    headers = [("impersonate-user", str(user["as"]))] if user.get("as") else []
    if user.get("as-uid"):
        headers.append(("impersonate-uid", str(user["as-uid"])))
    headers += [("impersonate-group", str(group)) for group in user.get("as-groups") or ()]
    for extra, values in (user.get("as-user-extra") or {}).items():
        headers += [(f"impersonate-extra-{extra.lower()}", str(value)) for value in values]
    if not all(value.isprintable() for _, value in headers):
        raise ValueError("it impersonates a name that is not one line of text")
    if headers and not user.get("as"):
        raise ValueError("it impersonates a group or uid, but no user: write as: NAME")
    return tuple(headers)


def _one_line(exc: BaseException) -> str:
    text = str(exc.args[0]) if isinstance(exc, KeyError) and exc.args else str(exc)
    return " ".join(text.split()) or type(exc).__name__
