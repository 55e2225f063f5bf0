"""From what the user says to where TLS material is: files, or a Secret."""

from __future__ import annotations

import attrs

from trio_argoagent.errors import UserError
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.runtime.tlssources import Files, Secret, Source


@attrs.frozen
class Place:
    """The cluster and namespace of the program's Secrets."""

    cluster: Cluster
    namespace: str


@attrs.frozen
class Wanted:
    """What the options for one piece of material say.

    Attributes:
        files: what each is (as a Secret names it), the option that names it, and its path.
        option: that names a Secret.
        given: the Secret that is named; empty: none.
        usual: its name by default; empty: none is looked at unless it is named.
        advice: what to do when there is none.
    """

    files: tuple[tuple[str, str, str], ...]
    option: str
    given: str
    usual: str
    advice: str = ""

    @property
    def is_named(self) -> bool:
        """Has the user said where it is, beyond what is the default?"""
        return self.given not in ("", self.usual) or any(path for _, _, path in self.files)

    def check(self) -> None:
        """Look whether the options go together.

        Raises:
            UserError: they contradict each other.
        """
        named = [option for _, option, path in self.files if path]
        if named and self.given not in ("", self.usual):
            raise UserError(f"{named[0]} and {self.option}: give one of the two")
        if named and len(named) < len(self.files):
            every = " and ".join(option for _, option, _ in self.files)
            raise UserError(f"{every}: give both or neither")

    def source(self, place: Place) -> Source | None:
        """Where it is; None: nowhere.

        Args:
            place: of Secrets.

        Raises:
            UserError: the options contradict each other.
        """
        self.check()
        if any(path for _, _, path in self.files):
            return Files({what: (option, path) for what, option, path in self.files})
        name = self.given or self.usual
        return Secret(place.cluster, place.namespace, name, self.option, self.advice) if name else None
