"""Where an API server is, and who we are to it.

A pod needs two variables and three files, which are read here, so a program in a cluster loads nothing. A
kubeconfig is read by ``kubernetes.config``, which is imported only then and only here. That loader was made
for programs that run for a minute; what it leaves open for one that runs for months is closed here: a plugin
that fails leaves requests anonymous, certificates and tokens are read once, impersonation is ignored, and
private keys stay behind in the temporary folder.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import attrs
import trio

from trio_argoagent.errors import UserError

SERVICE_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where the kubelet puts a pod's token, CA and namespace."""


@attrs.frozen
class Credentials:
    """All it takes to talk to one API server. ``repr`` shows no secret.

    Attributes:
        host: name or address of the server.
        port: its TCP port.
        ca: PEM of the authorities that certify the server; None: the system's.
        certificate: PEM of our own certificate; None: we have none.
        key: PEM of its key.
        token: a bearer token; empty: none.
        namespace: the default one; may be empty.
        tls: False only for a local proxy.
        verify: False takes any server.
        server_name: what the server's certificate is for, when that is not ``host``.
        prefix: path before every request's own, of servers behind a gateway; no slash at its end.
        impersonate: headers of the identity to act as.
        rotates: somebody else replaces the files these came from, without telling.
        reload: reads them again; None: they are all there is.
    """

    host: str
    port: int = 443
    ca: bytes | None = attrs.field(default=None, repr=False)
    certificate: bytes | None = attrs.field(default=None, repr=False)
    key: bytes | None = attrs.field(default=None, repr=False)
    token: str = attrs.field(default="", repr=False)
    namespace: str = ""
    tls: bool = True
    verify: bool = True
    server_name: str = ""
    prefix: str = ""
    impersonate: tuple[tuple[str, str], ...] = ()
    rotates: bool = False
    reload: Callable[[], Awaitable[Credentials]] | None = attrs.field(default=None, eq=False, repr=False)

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What every request carries."""
        bearer = (("authorization", f"Bearer {self.token}"),) if self.token else ()
        return bearer + self.impersonate

    def needs_new_connection(self, other: Credentials) -> bool:
        """Is the other's identity, or server, one that a connection made with these cannot serve?"""
        mine = attrs.evolve(self, token="", impersonate=(), namespace="")
        return mine != attrs.evolve(other, token="", impersonate=(), namespace="")


def in_cluster(environ: Mapping[str, str] = os.environ, folder: str = SERVICE_ACCOUNT) -> Credentials:
    """The credentials that Kubernetes gives to every pod.

    Raises:
        UserError: this is no pod, or its service account is not mounted.
    """
    host = environ.get("KUBERNETES_SERVICE_HOST", "")
    port = environ.get("KUBERNETES_SERVICE_PORT", "")
    if not host or not port.isdecimal():
        raise UserError("not in a cluster (KUBERNETES_SERVICE_HOST is not set): give a kubeconfig")

    async def reload() -> Credentials:
        await trio.lowlevel.checkpoint()
        return in_cluster(environ, folder)

    root = Path(folder)
    token = _read(root / "token").decode("utf-8", "replace").strip()
    if not token:
        raise UserError(f"{root / 'token'} is empty: is the service account's token mounted?")
    namespace = _read(root / "namespace").decode("utf-8", "replace").strip()
    return Credentials(
        host,
        int(port),
        ca=_read(root / "ca.crt"),
        token=token,
        namespace=namespace,
        rotates=True,
        reload=reload,
    )


async def from_kubeconfig(path: str = "", context: str = "") -> Credentials:
    """The credentials of a kubeconfig, as kubectl would use them.

    Args:
        path: empty: ``$KUBECONFIG``, else ``~/.kube/config``; several paths are merged as kubectl does.
        context: empty: the current one.

    Raises:
        UserError: the file, the context or its user cannot be used.
    """
    path = path or os.environ.get("KUBECONFIG", "") or "~/.kube/config"
    # In a thread: a plugin is a program that may ask a person. Abandoned when cancelled: it has no deadline.
    credentials = await trio.to_thread.run_sync(_load, path, context, abandon_on_cancel=True)

    async def reload() -> Credentials:
        return await from_kubeconfig(path, context)

    return attrs.evolve(credentials, reload=reload)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise UserError(f"cannot read {path}: {exc.strerror}") from exc


def _load(path: str, context: str) -> Credentials:
    merged = _merge(path)
    where = f"context {context!r}" if context else "the current context"
    # Inline keys are written to files for a loader that deals in paths: here they do not outlive it.
    with tempfile.TemporaryDirectory(prefix="trio-argoagent-") as scratch:
        return _resolve(merged, path, context, where, scratch)


def _merge(path: str) -> Any:
    import yaml
    from kubernetes.config import ConfigException, kube_config

    present = [part for part in path.split(os.pathsep) if part and os.path.exists(os.path.expanduser(part))]
    if not present:
        raise UserError(f"no kubeconfig at {path}: give its path, or set KUBECONFIG")
    try:
        return kube_config.KubeConfigMerger(os.pathsep.join(present)).config  # type: ignore[no-untyped-call]
    except OSError as exc:
        raise UserError(f"cannot read the kubeconfig {path}: {exc.strerror}") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise UserError(f"the kubeconfig {path} is not YAML: {_one_line(exc)}") from exc
    except (AttributeError, KeyError, TypeError) as exc:
        # The loader trips over what it takes for a mapping; its words would say nothing to a user.
        raise UserError(f"{path} is not a kubeconfig: it must be a mapping with contexts and users") from exc
    except ConfigException as exc:
        raise UserError(f"{path} is not a kubeconfig: {_one_line(exc)}") from exc


def _resolve(merged: Any, path: str, context: str, where: str, scratch: str) -> Credentials:
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, kube_config

    # Not the class' shared default, which other code may have set.
    configuration = type.__call__(Configuration)
    try:
        loader = kube_config.KubeConfigLoader(  # type: ignore[no-untyped-call]
            merged, active_context=context or None, config_base_path=None, temp_file_path=scratch
        )
        loader.load_and_set(configuration)  # type: ignore[no-untyped-call]
        chosen = loader.current_context["context"]
    except (ConfigException, OSError, AttributeError, KeyError, TypeError, ValueError) as exc:
        names = ", ".join(_names(merged)) or "none"
        raise UserError(
            f"{where} of the kubeconfig {path} cannot be used: {_one_line(exc)} (contexts: {names})"
        ) from exc
    user = _user(merged, chosen.get("user"))
    # The loader's own: the configuration's may come from the environment, which says nothing of this server.
    _check(user, configuration, where, proxy=getattr(loader, "proxy", None))
    address = urlsplit(configuration.host)
    return Credentials(
        address.hostname or "",
        address.port or (443 if address.scheme == "https" else 80),
        ca=_file(configuration.ssl_ca_cert),
        certificate=_file(configuration.cert_file),
        key=_file(configuration.key_file),
        token=configuration.api_key.get("BearerToken", "").removeprefix("Bearer ").strip(),
        namespace=chosen.get("namespace") or "",
        tls=address.scheme == "https",
        verify=bool(configuration.verify_ssl),
        server_name=configuration.tls_server_name or "",
        prefix=address.path.rstrip("/"),
        impersonate=_impersonation(user),
        rotates=any(field in user for field in ("tokenFile", "client-certificate")),
    )


def _check(user: Mapping[str, Any], configuration: Any, where: str, *, proxy: str | None) -> None:
    """Refuse what would otherwise fail later, and less clearly."""
    token, certificate = configuration.api_key.get("BearerToken"), configuration.cert_file
    if "exec" in user and not (token or certificate):
        # The loader only logs it and goes on as nobody.
        command = user["exec"].get("command", "") if isinstance(user["exec"], Mapping) else ""
        raise UserError(f"the plugin {command!r} of {where} gave no credentials: run it by hand to see why")
    if "auth-provider" in user and not token:
        raise UserError(f"the auth-provider of {where} gave no token: sign in again with its own tool")
    if str(token or "").startswith("Basic "):
        raise UserError(f"{where} has a user name and password, which API servers no longer take")
    if urlsplit(str(configuration.host)).scheme not in ("http", "https"):
        raise UserError(f"{where} has no server address: write server: https://...")
    if proxy:
        raise UserError(f"{where} has a proxy-url, which is not supported: use a context without it")


def _user(merged: Any, name: str | None) -> Mapping[str, Any]:
    for entry in merged.value.get("users") or ():
        value = getattr(entry, "value", entry)
        if value.get("name") == name:
            return value.get("user") or {}
    return {}


def _names(merged: Any) -> list[str]:
    entries = merged.value.get("contexts") or ()
    return [str(getattr(entry, "value", entry).get("name")) for entry in entries]


def _impersonation(user: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    headers = [("impersonate-user", str(user["as"]))] if user.get("as") else []
    if user.get("as-uid"):
        headers.append(("impersonate-uid", str(user["as-uid"])))
    headers += [("impersonate-group", str(group)) for group in user.get("as-groups") or ()]
    for extra, values in (user.get("as-user-extra") or {}).items():
        headers += [(f"impersonate-extra-{extra.lower()}", str(value)) for value in values]
    return tuple(headers)


def _file(path: str | None) -> bytes | None:
    return _read(Path(path)) if path else None


def _one_line(exc: BaseException) -> str:
    return " ".join(str(exc).split()) or type(exc).__name__
