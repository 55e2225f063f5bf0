"""``trio-argoagent ctl jwt``: the key that argocd-agent would need."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from trio_argoagent.cli import ctl_jwt
from trio_argoagent.cli.secretdata import data_of, opaque
from trio_argoagent.errors import UserError
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.pki.keys import key_pem

from .conftest import Run
from .hubs import HUB, make_cluster


async def test_its_life() -> None:
    """Made once, replaced only on demand, inspected without being shown, removed."""
    hub = await make_cluster()
    with pytest.raises(UserError, match="create-key"):
        await ctl_jwt.inspect(hub, HUB)
    assert "4096" in await ctl_jwt.create(hub, HUB, upsert=False)
    secret = await hub.get(SECRETS, HUB, ctl_jwt.SECRET)
    pem = data_of(secret)[ctl_jwt.KEY]
    assert pem.startswith(b"-----BEGIN PRIVATE KEY-----"), "PKCS#8"
    assert load_pem_private_key(pem, None).key_size == 4096  # type: ignore[union-attr]
    found = await ctl_jwt.inspect(hub, HUB)
    assert (found.key.bits, found.created) == (4096, secret.meta.creation_timestamp)
    assert len(found.key.sha256) == 64
    with pytest.raises(UserError, match="--upsert"):
        await ctl_jwt.create(hub, HUB, upsert=False)
    assert (await hub.get(SECRETS, HUB, ctl_jwt.SECRET)).meta == secret.meta
    assert "removed" in await ctl_jwt.delete(hub, HUB)
    with pytest.raises(UserError, match="there is no Secret"):
        await ctl_jwt.delete(hub, HUB)


async def test_a_key_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """With --upsert, whatever stands there."""
    monkeypatch.setattr(ctl_jwt, "new_signing_key", lambda: b"new")
    hub = await make_cluster()
    await hub.create(SECRETS, opaque(HUB, ctl_jwt.SECRET, {ctl_jwt.KEY: b"old", "more": b"kept"}))
    assert "is replaced" in await ctl_jwt.create(hub, HUB, upsert=True)
    assert data_of(await hub.get(SECRETS, HUB, ctl_jwt.SECRET)) == {ctl_jwt.KEY: b"new", "more": b"kept"}


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ({}, "has no jwt.key"),
        ({"jwt.key": b"x"}, "no PEM of a private key"),
        ({"jwt.key": key_pem(ec.derive_private_key(7, ec.SECP256R1()))}, "no RSA key"),
    ],
    ids=["nothing", "no key", "another kind"],
)
async def test_a_key_that_is_none(data: dict[str, bytes], what: str) -> None:
    """One line that says where, and nothing of what stands there."""
    hub = await make_cluster()
    await hub.create(SECRETS, opaque(HUB, ctl_jwt.SECRET, data))
    with pytest.raises(UserError, match=what) as refused:
        await ctl_jwt.inspect(hub, HUB)
    assert "argocd/argocd-agent-jwt" in str(refused.value)


@pytest.mark.parametrize(
    "arguments", [("create-key", "-u"), ("inspect-key",), ("delete-key", "-f")], ids=" ".join
)
def test_a_hub_that_cannot_be_found(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """One line."""
    missing = str(tmp_path / "missing")
    assert missing in run("ctl", "jwt", *arguments, "--kubeconfig", missing).line
