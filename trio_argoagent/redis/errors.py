"""How Redis fails."""

from __future__ import annotations

from trio_argoagent.errors import ArgoAgentError


class RedisError(ArgoAgentError):
    """What was asked of Redis was not done, or it is not known whether it was."""


class RedisUnavailable(RedisError):
    """There is no connection, or there is none any more: try again later."""


class RedisRefused(RedisError):
    """Redis has understood, and refuses.

    Args:
        text: its own words, such as ``WRONGPASS invalid username-password pair``.
    """

    @property
    def code(self) -> str:
        """The first word: ``ERR``, ``NOAUTH``, ``WRONGPASS``, ..."""
        return str(self).partition(" ")[0]
