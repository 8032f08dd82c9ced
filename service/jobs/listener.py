"""What is new in a log, for one who has heard it up to some point."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from service.jobs.chapter import CUT, Chapter, closed

LEFT_OUT = "(more was said at once than is kept; some of it is left out here)\n"


class Listener:
    """Hears a log again and again, and tells each time what it has not heard before.

    All that it tells, put together, is the log, in its order. Only where a run said more between
    two hearings than is kept of it is something missing, and a line says so.
    """

    def __init__(self) -> None:
        self._heard: dict[str, str] = {}

    def news(self, chapters: Sequence[Chapter], *, is_over: bool) -> str:
        """Return what is new.

        Parameters
        ----------
        chapters
            The log as it now is.
        is_over
            Whether nothing will be said any more. Until then a line is told when it is whole, and
            what comes after a gap when the gap is closed.
        """
        new = []
        for number, chapter in enumerate(chapters, start=1):
            is_whole = is_over or (number < len(chapters) and not chapter.gap)
            text = closed(chapter.text) if is_whole else _whole_lines(chapter.text)
            new.append(self._new(chapter.name, text))
            if chapter.gap and not is_over:
                break
            new.append(chapter.gap)
        return "".join(new)

    def _new(self, name: str, text: str) -> str:
        heard = self._heard.get(name, "")
        if heard.startswith(text):
            # Nothing more, or less: of a pod that is gone, only what was kept of it is there.
            return ""
        self._heard[name] = text
        return text[len(heard) :] if text.startswith(heard) else _continued(heard, text)


def _whole_lines(text: str) -> str:
    return text[: text.rfind("\n") + 1]


def _continued(heard: str, text: str) -> str:
    """Return what follows the lines that were heard, in a text that has lost some before its end.

    It is lost at the beginning, or after the title.
    """
    before, now = heard.splitlines(keepends=True), text.splitlines(keepends=True)
    pairs = zip(before, now, strict=False)
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    before, now = before[alike:], now[alike:]
    if now[:1] == [CUT]:
        now = now[1:]
    for start, line in enumerate(before):
        known = before[start:] if now[:1] == [line] else []
        if known and now[: len(known)] == known:
            return "".join(now[len(known) :])
    return LEFT_OUT + "".join(now)
