"""Values that may hold a secret."""

from __future__ import annotations

import msgspec


class Discreet(msgspec.Struct, frozen=True):
    """A value whose bytes may be a secret's: ``repr`` says how many they are, and nothing of them."""

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [(name, _told(getattr(self, name))) for name in self.__struct_fields__]


def _told(value: object) -> object:
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else value
