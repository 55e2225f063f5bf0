"""kubectl makes roles, bindings and tokens, and asks who may do what."""

from __future__ import annotations

from pathlib import Path

from .kubectl_kit import MARKS, at_home, cells

pytestmark = MARKS


async def test_rights_of_an_account(tmp_path: Path) -> None:
    """From a role to a token that can do what the role says, and nothing else."""
    async with at_home(tmp_path, rules=True) as kubectl:
        run = kubectl.run
        await run("create", "serviceaccount", "robot")
        await run("create", "role", "reader", "--verb=get,list", "--resource=configmaps")
        await run("create", "rolebinding", "reader", "--role=reader", "--serviceaccount=default:robot")
        await run("create", "clusterrole", "metrics", "--verb=get", "--non-resource-url=/metrics")
        await run("create", "clusterrolebinding", "metrics", "--clusterrole=metrics", "--user=bob")
        token = f"--token={(await run('create', 'token', 'robot')).strip()}"
        assert "system:serviceaccount:default:robot" in await run("auth", "whoami", token)
        assert await run("get", "configmaps", token) == ""
        said = await run("get", "secrets", token, fails=True)
        assert 'User "system:serviceaccount:default:robot" cannot list resource "secrets"' in said
        assert await run("auth", "can-i", "list", "configmaps", token) == "yes\n"
        assert await run("auth", "can-i", "list", "secrets", token, fails=True) == ""
        assert await run("auth", "can-i", "get", "/metrics", "--as=bob") == "yes\n"
        assert "configmaps" in await run("auth", "can-i", "--list", token)
        shown = cells(await run("get", "rolebindings", "--no-headers", "-o", "wide"))
        assert [shown[0][0], shown[0][1], shown[0][-1]] == ["reader", "Role/reader", "default/robot"]
