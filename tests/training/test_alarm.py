"""Tests of the alarm: what is not worth the model ends in the middle of it."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from training.alarm import OverdueError, ended_at


def test_what_takes_longer_is_ended_and_what_does_not_is_not() -> None:
    began = time.monotonic()
    with pytest.raises(OverdueError), ended_at(began + 0.1):
        time.sleep(5)
    with ended_at(time.monotonic() + 0.1):
        kept = 7
    # It rings for what was within alone.
    time.sleep(0.2)
    assert kept == 7


def test_a_time_that_is_over_ends_what_begins() -> None:
    with pytest.raises(OverdueError), ended_at(time.monotonic() - 1):
        time.sleep(5)


def test_it_rings_again_for_what_catches_every_exception() -> None:
    caught = 0

    def work() -> None:
        nonlocal caught
        try:
            time.sleep(20)
        except Exception:  # noqa: BLE001 - as libraries do
            caught += 1
        time.sleep(20)

    with pytest.raises(OverdueError), ended_at(time.monotonic() + 0.1):
        work()
    assert caught == 1


def test_whoever_had_the_signal_has_it_again() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with ended_at(time.monotonic() + 60):
        assert signal.getsignal(signal.SIGALRM) is not before
    assert signal.getsignal(signal.SIGALRM) is before


def test_in_another_thread_nothing_is_ended() -> None:
    done: list[int] = []

    def work() -> None:
        with ended_at(time.monotonic() - 1):
            done.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [1]
