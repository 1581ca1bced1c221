"""A finding of the checker."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """What must not be: of which kind, about whom, in words."""

    kind: str
    about: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.about}: {self.what}"
