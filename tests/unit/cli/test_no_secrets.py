"""Whatever is wrong with what a user gives to a command: the secret in it is not repeated."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence

import pytest

from trio_argoagent.pki import keys

from .conftest import Files, Run, pki

CANARY = "canary0123456789canary0123456789"
PACKED = base64.b64encode(CANARY.encode()).decode()
KEY = keys.key_pem(keys.new_key()).decode()
HEART = KEY.splitlines()[2]
BROKEN = f"-----BEGIN PRIVATE KEY-----\n{PACKED}\n-----END PRIVATE KEY-----\n"
Line = Callable[[Files], Sequence[str]]


def kubeconfig(files: Files, user: str) -> str:
    """A kubeconfig whose user is that, of an API server that is not there."""
    ca = base64.b64encode(pki().ca).decode()
    return files.write(
        "bad-config",
        f"""apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "https://127.0.0.1:1", certificate-authority-data: {ca}}}}}]
users: [{{name: u, user: {user}}}]
contexts: [{{name: x, context: {{cluster: c, user: u}}}}]
current-context: x
""",
    )


COMMANDS: dict[str, Line] = {
    "a broken key": lambda files: files.principal(tls_key=files.write("k", BROKEN)),
    "the key of another certificate": lambda files: files.agent(tls_client_key=files.write("k", KEY)),
    "a key for a certificate": lambda files: files.principal(tls_cert=files.write("k", KEY)),
    "a key for a CA": lambda files: files.agent(root_ca_path=files.write("k", KEY)),
    "a broken key in a kubeconfig": lambda files: files.agent(
        kubeconfig=kubeconfig(files, f'{{client-certificate-data: "{PACKED}", client-key-data: "{PACKED}"}}')
    ),
    "a password beside a token": lambda files: files.agent(
        kubeconfig=kubeconfig(files, f'{{username: "u", password: ["{CANARY}"]}}')
    ),
    "a kubeconfig that is a token": lambda files: files.agent(kubeconfig=files.write("t", CANARY)),
    "no API server": lambda files: [
        "ctl", "agent", "list", "--kubeconfig", kubeconfig(files, f'{{token: "{CANARY}"}}')
    ],
    "a bootstrap token that is none": lambda files: files.agent(bootstrap_token=CANARY),
    "a bootstrap token in a file": lambda files: files.agent(bootstrap_token_file=files.write("t", CANARY)),
    "two passwords of Redis": lambda files: files.principal(
        redis_server_address="127.0.0.1:1", redis_password=CANARY, redis_creds_dir_path=str(files.folder)
    ),
    "an address with a password": lambda files: files.principal(
        redis_server_address=f"redis://u:{CANARY}@h:1"
    ),
    "credentials that are a password": lambda files: files.agent(creds=f"userpass:{CANARY}"),
    "authentication by password": lambda files: files.principal(auth=f"userpass:{CANARY}"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_mistake_repeats_no_secret(run: Run, files: Files, name: str) -> None:
    """One line, and nothing of it in that."""
    said = run(*COMMANDS[name](files))
    assert said.code == 2, said.err
    for secret in (CANARY, PACKED, HEART):
        assert secret not in said.err + said.out
