"""Figures beside what is promised of them."""

from __future__ import annotations


class Figures:
    """Prints figures as they are added, and remembers which fall short."""

    def __init__(self) -> None:
        self.short: list[str] = []

    def add(self, what: str, found: str, promised: str, *, met: bool) -> None:
        """Print a figure, and whether it is what was promised."""
        told = "met" if met else "NOT MET"
        print(f"{what:<56} {found:>20}   promised: {promised:<28} {told}", flush=True)
        if not met:
            self.short.append(what)

    def code(self) -> int:
        """Name those that fall short, and return the exit code: 1 where there are any."""
        if self.short:
            print(f"short of what is promised: {', '.join(self.short)}")
        return int(bool(self.short))
