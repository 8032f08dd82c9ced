"""How far a run of training has come: the events that it writes, and what is read back of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from tideline.wording import best_of, pipelines_of

SCHEMA_VERSION: Literal[1] = 1
"""Rises when a key changes its meaning; keys are added under the same number."""
MAX_FAILURES = 5
MAX_OVERRUN = 1e6
"""More budgets than this no run can have spent."""
MAX_COUNT = 2**53
"""The largest count that every reader of JSON takes as it is."""


def _cut(most: int) -> BeforeValidator:
    """Return what makes a text one of at most so many characters, all of which can be sent."""

    def cut(text: object) -> object:
        if not isinstance(text, str):
            return text
        whole = text.encode("utf-8", "replace").decode("utf-8")
        return whole if len(whole) <= most else f"{whole[: most - 1]}…"

    return BeforeValidator(cut)


def _first_failures(found: object) -> object:
    return found[:MAX_FAILURES] if isinstance(found, list | tuple) else found


Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]


class _Told(BaseModel):
    """What comes from a run, which may be of an earlier or a later version than its reader."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Failure(_Told):
    """One reason why pipelines failed."""

    reason: Annotated[str, _cut(200)] = Field(
        max_length=200, description="The error's type and its first sentence, numbers as #."
    )
    count: Count = Field(description="How many pipelines failed so.")


class Pipelines(_Told):
    """What came of the pipelines that were tried."""

    tried: Count = Field(description="How many were evaluated, those that failed among them.")
    failed: Count = Field(default=0, description="How many of them failed.")
    failures: Annotated[tuple[Failure, ...], BeforeValidator(_first_failures)] = Field(
        default=(),
        max_length=MAX_FAILURES,
        description="Why, the commonest reason first, at most five.",
    )


class Best(_Told):
    """The best pipeline so far."""

    name: Annotated[str, _cut(200)] = Field(max_length=200, description="The classes of its steps.")
    metric: Annotated[str, _cut(60)] = Field(
        max_length=60, description="What it was compared by, under scikit-learn's name."
    )
    value: float = Field(
        allow_inf_nan=False,
        description="Its cross-validated score, which is optimistic; more is better.",
    )


class Progress(_Told):
    """How far a run has come, as the training program last told it."""

    stage: Annotated[str, _cut(40)] = Field(
        max_length=40,
        description="read, split, extract, portfolio, search, ensemble, evaluate, fit, publish, "
        "report; a run leaves out what its spec does not need.",
    )
    share: float = Field(
        default=0.0, ge=0, le=1, description="How much of the whole run is done, 0 to 1."
    )
    budget_share: float | None = Field(
        default=None,
        ge=0,
        le=MAX_OVERRUN,
        description="How much of the budget is spent; more than 1 where it is overrun.",
    )
    message: Annotated[str, _cut(1000)] = Field(
        default="", max_length=1000, description="What is being done, in words."
    )
    pipelines: Pipelines | None = Field(
        default=None, description="What came of the pipelines tried so far."
    )
    best: Best | None = Field(default=None, description="The best pipeline so far.")

    @property
    def standing(self) -> str:
        """What the search has found so far, in words; empty before there is anything."""
        tried = pipelines_of(self.pipelines.tried, self.pipelines.failed) if self.pipelines else ""
        best = best_of(self.best.name, self.best.metric, self.best.value) if self.best else ""
        return "; ".join(part for part in (tried, best) if part)


class Event(Progress):
    """One line that a run writes of its progress."""

    schema_version: Literal[1] = Field(
        default=SCHEMA_VERSION, description="The form of the event; left out, it is 1."
    )
    time: AwareDatetime | None = Field(default=None, description="When it was told, in UTC.")

    @property
    def progress(self) -> Progress:
        """The event without what is of its line alone."""
        return Progress.model_construct(**{name: getattr(self, name) for name in _PROGRESS})


_PROGRESS = tuple(Progress.model_fields)
