from __future__ import annotations

import pickle

import pytest

from tideline import errors
from tideline.errors import TidelineError

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, TidelineError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_comes_back_whole_from_another_process(kind: type[TidelineError]) -> None:
    back = pickle.loads(pickle.dumps(kind("found 1.", mend="Send 2.", field="raw_data")))

    assert type(back) is kind
    assert str(back) == "found 1. Send 2."
    assert (back.message, back.mend, back.field) == ("found 1.", "Send 2.", "raw_data")


def test_every_kind_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in KINDS]

    assert len(set(codes)) == len(codes)
    assert {kind.exit_code for kind in KINDS} <= {64, 65, 66, 70, 75}
    assert all(kind.retryable for kind in KINDS if kind.exit_code == 75)
