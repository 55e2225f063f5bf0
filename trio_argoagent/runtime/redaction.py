"""No secret leaves in a log: what looks like one, in any field or text, is replaced by ``REDACTED``.

Nothing of ours logs a secret on purpose. This is for words that are not ours: an API server's, an exception's
of a library, those of whoever speaks to us.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

REDACTED: Final = "<redacted>"
MAX_DEPTH: Final = 8
"""Levels of a field that is no text; what lies deeper is replaced."""

MAX_TEXT: Final = 131_072
"""Characters of one text; what is longer is cut. Each pattern takes time in proportion, whatever it is."""

_WORDS: Final = r"password|passwd|passphrase|secret|token|api[-_]?key|private[-_]?key|clientcertkey"
_NAMES: Final = (
    rf"(?:[a-z0-9_]*(?:{_WORDS})|(?:[a-z0-9_]*_)?(?:pass|pwd)|authorization|proxy[-_]authorization|cookie)"
)
_FIELD: Final = re.compile(rf"[a-z0-9_.-]*(?:{_WORDS})|{_NAMES}", re.IGNORECASE)
_PEM: Final = re.compile(
    r"-----BEGIN (?P<what>[A-Z0-9 ]*PRIVATE KEY)-----.*?(?:-----END (?P=what)-----|\Z)", re.DOTALL
)
_QUOTED: Final = (
    # To the same quote again, or to the end of what was cut; a backslash takes away its meaning.
    r"(?P<q>[\"'])(?:\\.|(?!(?P=q))[^\\])*+(?:(?P=q)|\\?\Z)"
    # The quotes of JSON in JSON.
    r"|(?P<e>\\{1,7}[\"'])(?:(?!(?<!\\)(?P=e)).)*+(?:(?P=e)|\Z)"
)
_BARE: Final = r"(?![)\]},;.]*+(?:\s|\Z))\S+"
"""If it is nothing but the end of a clause, there is no value."""
_VALUE: Final = rf"(?!{REDACTED})(?:(?:{_QUOTED})\S*|{_BARE})"
"""Of a name without quotes: what is quoted, and in any case all to the next white space."""
_FLAGS: Final = re.IGNORECASE | re.DOTALL
_TEXTS: Final = (
    # Header values: whatever follows the scheme.
    # Words have no digits, and are short.
    (re.compile(r"\b(bearer)\s+(?=\S*\d|\S{20})[\w.~+/=-]{4,}", re.IGNORECASE), rf"\1 {REDACTED}"),
    (re.compile(r"(authorization\W{1,6}basic)\s+[\w+/=-]+", re.IGNORECASE), rf"\1 {REDACTED}"),
    # JSON web tokens, and our own one-time tokens (their second part).
    (re.compile(r"(?<![\w-])eyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*"), REDACTED),
    (re.compile(r"\b([0-9a-f]{16})\.[0-9a-f]{64}\b"), rf"\1.{REDACTED}"),
    # JSON's or Python's "name": "value".
    (
        re.compile(
            rf"((?P<n>\\{{0,7}}[\"'])(?:{_FIELD.pattern})(?P=n)\s*:\s*b?)(?:{_QUOTED}|-?\d[\w.+-]*)",
            _FLAGS,
        ),
        rf"\g<1>\g<q>\g<e>{REDACTED}\g<q>\g<e>",
    ),
    # name=value, and YAML's or Go's password: value.
    (re.compile(rf"\b({_NAMES})(=| = ){_VALUE}", _FLAGS), rf"\1\2{REDACTED}"),
    (re.compile(rf"\b(password|passwd|passphrase)(: ?){_VALUE}", _FLAGS), rf"\1\2{REDACTED}"),
)
# A URL ends at white space, or with the quote around it: what is beside it in JSON is none of its password.
# A password that holds such a quote before such a mark, and that nobody has encoded, is shown in part.
_WORD: Final = re.compile(r"(?:(?![\"'][,:)\]}])\S)+")
_USER: Final = re.compile(r"\w://[^:/]*:")


def redacted(text: str) -> str:
    """The text without what looks like a secret, cut at the white space before ``MAX_TEXT`` characters."""
    if len(text) > MAX_TEXT:
        # Half a secret does not look like one.
        kept = "".join(text[:MAX_TEXT].rsplit(maxsplit=1)[:-1])
        text = f"{kept} ... and {len(text) - len(kept)} characters more".lstrip()
    text = _PEM.sub(REDACTED, text)
    if "://" in text and "@" in text:
        text = _WORD.sub(_without_password, text)
    for pattern, instead in _TEXTS:
        text = pattern.sub(instead, text)
    return text


def _without_password(word: re.Match[str]) -> str:
    """A URL's password goes to the last @ of the word: who writes one into a URL may not have encoded it.

    A port, and a path with an @ behind it, look like that, too, and are hidden.
    """
    before, at, after = word[0].rpartition("@")
    user = _USER.search(before)
    return before[: user.end()] + REDACTED + at + after if user is not None else word[0]


def redacted_value(value: Any, depth: int = 0) -> Any:
    """Likewise any value; what is neither text, number nor a container becomes its ``repr``."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redacted(value)
    if depth >= MAX_DEPTH:
        return REDACTED
    if isinstance(value, Mapping):
        return redacted_fields({str(key): each for key, each in value.items()}, depth + 1)
    if isinstance(value, list | tuple):
        return [redacted_value(each, depth + 1) for each in value]
    if isinstance(value, bytes):
        return redacted(value.decode("utf-8", "backslashreplace"))
    return redacted(repr(value))


def redacted_fields(fields: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """Likewise the values of fields; one that is called as secrets are has none at all."""
    return {
        name: REDACTED if _FIELD.fullmatch(name) and value else redacted_value(value, depth)
        for name, value in fields.items()
    }
