"""Which expressions are taken, and what they find."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.model.extraction import EXPRESSION, REPEATS, TEXT, Extraction

GOOD = [
    ("CN=([^,]+)", "CN=a1,O=x", "a1"),
    ("^CN=(?P<name>[a-z0-9-]{1,63}),", "CN=a1,O=x", "a1"),
    (r"spiffe://[^/]+/ns/([^/]+)/sa/", "spiffe://d/ns/east/sa/x", "east"),
    (r"^.*URI=spiffe://[^/]+/ns/[^/]+/sa/([^,;]+)", "By=a;URI=spiffe://d/ns/n/sa/a1;x", "a1"),
    ("(?i)cn=([^,]+)", "CN=a1", "a1"),
    ("^(?:agent-)?(.+)$", "agent-a1", "a1"),
    (r"^(.*)$", "a1", "a1"),
    ("(.*)", "a1", "a1"),
    (r"CN=([]a-z0-9]+)", "CN=a1", "a1"),
    (r"\((a1)\)", "(a1)", "a1"),
]


@pytest.mark.parametrize(("expression", "text", "name"), GOOD)
def test_what_is_found(expression: str, text: str, name: str) -> None:
    """The first group, wherever it is in the text."""
    assert Extraction.parse(expression).name([text]) == name


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("(", "missing"),
        ("(a)*?*", "multiple repeat"),
        ("CN=[^,]+", "no group"),
        ("(?:a)", "no group"),
        ("((a+)+)b", "repeats a group"),
        ("((?:a|aa)*)b", "repeats a group"),
        ("((?:a{2})*)", "repeats a group"),
        ("((?:(?:a|b)c){3})", "repeats a group"),
        (r"(a)\1", "RE2"),
        (r"(?P<x>a)(?P=x)", "RE2"),
        ("(?=a)(a)", "RE2"),
        ("(?<!a)(a)", "RE2"),
        ("(?>a)(b)", "RE2"),
        ("(?x) (a) # b", "RE2"),
        (r"(a)\Z", "RE2"),
        ("(a++)", "RE2"),
        ("CN=([^,]{,63})", "RE2"),
        (r"(\pL+)", "bad escape"),
        ("([[:alpha:]]+)", "set"),
        ("(a)" + "b?" * (REPEATS + 1), "more than"),
        ("(a)" + "b" * EXPRESSION, "longer than"),
    ],
)
def test_what_is_refused(expression: str, why: str) -> None:
    """What Go reads otherwise, and what could take for ever."""
    with pytest.raises(ValueError, match=why):
        Extraction.parse(expression)


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        ([], "does not match"),
        (["O=x"], "does not match"),
        (["CN="], "does not match"),
        (["CN=a1\n"], "does not match"),
        (["CN=a1" + "," * TEXT], "does not match"),
        (["SERIALNUMBER=CN=a1,CN=a2"], "more than once"),
        (["CN=a1", "CN=a2"], "more than once"),
        (["CN=a1", "CN=a1"], "more than once"),
    ],
)
def test_there_is_one_name(texts: list[str], why: str) -> None:
    """Not the first of several: somebody else may have put it there."""
    with pytest.raises(ValueError, match=why):
        Extraction.parse("CN=([^,]+)").name(texts)


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="()[]{}*+?|\\^$.,a1P<>:=-", max_size=24))
def test_any_text_is_read_or_refused(expression: str) -> None:
    """A user's mistake never ends in another error."""
    try:
        found = Extraction.parse(expression)
    except ValueError:
        return
    assert found.pattern.groups >= 1
