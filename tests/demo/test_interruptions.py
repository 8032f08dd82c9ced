"""Signals are told where they do no harm, and once."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from demo.interruptions import Interruptions

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """The handlers that were there come back."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def interruptions() -> Interruptions:
    # The tests themselves may run under nohup, or in the background of a shell.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    watched = Interruptions()
    watched.watch()
    return watched


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_in_the_block_is_told_at_once(
    interruptions: Interruptions, number: signal.Signals
) -> None:
    with pytest.raises(KeyboardInterrupt), interruptions:
        signal.raise_signal(number)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_outside_is_told_on_the_way_into_the_block(
    interruptions: Interruptions, number: signal.Signals
) -> None:
    with interruptions:
        pass
    signal.raise_signal(number)
    with pytest.raises(KeyboardInterrupt):
        interruptions.__enter__()


def test_what_follows_the_first_signal_does_not_disturb_the_way_out(
    interruptions: Interruptions,
) -> None:
    def interrupted() -> None:
        with interruptions:
            try:
                signal.raise_signal(signal.SIGINT)
            finally:
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGTERM)
                tidied.append("folder")

    tidied: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert tidied == ["folder"]


def test_an_ignored_sigint_is_taken_up_and_an_ignored_sighup_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    interruptions = Interruptions()
    interruptions.watch()
    with interruptions:
        signal.raise_signal(signal.SIGHUP)
    with pytest.raises(KeyboardInterrupt), interruptions:
        signal.raise_signal(signal.SIGINT)
