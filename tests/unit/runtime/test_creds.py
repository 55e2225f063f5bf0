"""Values of --creds that are taken."""

import pytest

from trio_argoagent.runtime.creds import Creds


@pytest.mark.parametrize(
    ("text", "creds"),
    [
        ("", Creds()),
        ("mtls:any", Creds()),
        ("mtls:", Creds()),
        ("header:", Creds(by_certificate=False)),
        ("header:X-Id:spiffe://d/sa/a1", Creds(by_certificate=False, headers=(("x-id", "spiffe://d/sa/a1"),))),
    ],
)
def test_what_is_taken(text: str, creds: Creds) -> None:
    """As argocd-agent's manifests have it, and a header that the agent says itself."""
    assert Creds.parse(text) == creds
    assert "spiffe" not in repr(Creds.parse(text))
