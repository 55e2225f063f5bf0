"""Plugins and sign-in providers of a kubeconfig, run by ``kubernetes.config``, which is imported only here.

That loader was made for programs that run for a minute. What it leaves open for one that runs for months is
closed around it: a plugin that fails gives nothing, which is an error and not anonymity; what it gave is
asked for again before it expires, certificates and OpenID tokens included; the keys that it writes to the
temporary folder do not outlive the call.
"""

from __future__ import annotations

import base64
import binascii
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from trio_argoagent.errors import UserError
from trio_argoagent.kube.credentials import bearer, read_file
from trio_argoagent.kube.kubeconfig import Entry, Proof


def ask(user: Entry, cluster: Entry, now: Callable[[], float] | None) -> Proof:
    """Run what this user is identified by. It blocks, for as long as a program may think.

    Args:
        user: with ``exec`` or ``auth-provider``.
        cluster: what it is asked for.
        now: wall time, to tell how long the answer is good for; None: that is not told.

    Returns:
        An empty proof if that gave nothing.

    Raises:
        UserError: it cannot even be asked.
    """
    # Keys are written to files for a loader that deals in paths: here they do not outlive it.
    with tempfile.TemporaryDirectory(prefix="trio-argoagent-") as scratch:
        return _ask(user, cluster, now, scratch)


def _ask(user: Entry, cluster: Entry, now: Callable[[], float] | None, scratch: str) -> Proof:
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, kube_config

    config = {
        "current-context": "this",
        "contexts": [{"name": "this", "context": {"cluster": "this", "user": "this"}}],
        "clusters": [{"name": "this", "cluster": _absolute(cluster)}],
        "users": [{"name": "this", "user": dict(user.value)}],
    }
    # Not the class' shared default, which other code may have set.
    configuration = type.__call__(Configuration)
    try:
        loader = kube_config.KubeConfigLoader(  # type: ignore[no-untyped-call]
            config, config_base_path=str(user.folder), temp_file_path=scratch
        )
        loader.load_and_set(configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError, AttributeError, KeyError, TypeError, ValueError) as exc:
        raise UserError(f"the plugin or auth-provider cannot be used: {_one_line(exc)}") from exc
    token = configuration.api_key.get("BearerToken", "").removeprefix("Bearer ").strip()
    if token.startswith("Basic "):
        token = ""  # A user name and a password stood beside it, and it gave nothing itself.
    token = bearer(token.encode(), "what the plugin or auth-provider gave")
    ends = _ends(token, getattr(loader, "expiry", None))
    return Proof(
        token,
        read_file(Path(configuration.cert_file)) if configuration.cert_file else None,
        read_file(Path(configuration.key_file)) if configuration.key_file else None,
        ends - now() if ends is not None and now is not None else None,
    )


def _absolute(cluster: Entry) -> dict[str, Any]:
    """A cluster whose file need not be found again: the loader knows one folder only, that of the user."""
    value = dict(cluster.value)
    if value.get("certificate-authority"):
        value["certificate-authority"] = str(cluster.folder / str(value["certificate-authority"]))
    return value


class _Claims(msgspec.Struct):
    exp: float


def _ends(token: str, expiry: datetime | None) -> float | None:
    """When it expires, in wall time: as the plugin says, or as the token itself does (RFC 7519)."""
    if expiry is not None:
        return expiry.timestamp()
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return msgspec.json.decode(claims, type=_Claims).exp
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError):
        return None


def _one_line(exc: BaseException) -> str:
    return " ".join(str(exc).split()) or type(exc).__name__
