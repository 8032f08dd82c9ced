"""The one tree of errors.

Each class says what kind of thing went wrong, whether trying again can help, and with which code
`python -m training` exits. The service room maps a class to an HTTP status; nothing else looks at
the text of a message.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar


class TidelineError(Exception):
    """Something that Tideline refuses or cannot do, told to the person who can mend it.

    Parameters
    ----------
    message
        What was found and what was expected, in one sentence.
    mend
        What to do about it.
    field
        The part of the input at fault, as its author knows it: `extract_features.column_id`,
        `raw_data`, `labels`.
    """

    code: ClassVar[str] = "internal-error"
    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, *, mend: str = "", field: str | None = None) -> None:
        super().__init__(message, mend, field)
        self.message = message
        self.mend = mend
        self.field = field

    def __str__(self) -> str:
        return f"{self.message} {self.mend}".strip()

    def __reduce__(self) -> tuple[partial[TidelineError], tuple[str]]:
        # For errors that come back from a worker process: an exception is otherwise rebuilt from
        # positional arguments alone, and this one takes two by name.
        return partial(type(self), mend=self.mend, field=self.field), (self.message,)


class SpecError(TidelineError):
    """The training spec does not say something that can be done."""

    code = "bad-spec"
    exit_code = 64


class DataError(TidelineError):
    """The data, or its labels, cannot be used as they are."""

    code = "bad-data"
    exit_code = 65


class LabelError(DataError):
    """The labels do not fit the cases."""

    code = "bad-labels"


class InputMismatch(DataError):
    """The data is sound, but not of the kind that this pipeline was trained on."""

    code = "input-mismatch"


class InputNotFound(TidelineError):
    """A file, a URL or a folder that the spec names is not there."""

    code = "input-not-found"
    exit_code = 66


class ModelNotFound(TidelineError):
    """The store has no such model, version or alias."""

    code = "model-not-found"
    exit_code = 66


class ModelFileNotFound(TidelineError):
    """A version of a model was published without a file that is asked for."""

    code = "model-file-not-found"
    exit_code = 66


class ModelRefused(TidelineError):
    """A published model is damaged, or holds types that this server does not allow."""

    code = "model-refused"
    exit_code = 65


class VersionConflict(TidelineError):
    """Somebody else published this version, or moved this alias, first."""

    code = "version-conflict"
    retryable = True
    exit_code = 75


class StoreUnavailable(TidelineError):
    """The model store, or the network on the way to it, cannot be reached now."""

    code = "store-unavailable"
    retryable = True
    exit_code = 75


class Interrupted(TidelineError):
    """The run was told to stop before it had published anything."""

    code = "interrupted"
    retryable = True
    exit_code = 75


class RunBusy(TidelineError):
    """Another process is at work on the run of this name."""

    code = "run-busy"
    retryable = True
    exit_code = 75


class BudgetExceeded(TidelineError):
    """The time given is over, and nothing could be fitted within it."""

    code = "budget-exceeded"


class SearchFailed(TidelineError):
    """No pipeline could be fitted."""

    code = "search-failed"


class RequestError(TidelineError):
    """A request is not of the form that the route takes."""

    code = "bad-request"


class PayloadTooLarge(RequestError):
    """A request's body is over the limit."""

    code = "payload-too-large"


class BodyStalled(RequestError):
    """A request's body stopped coming."""

    code = "body-stalled"
    retryable = True


class Unauthorized(RequestError):
    """A request carries no token, or a wrong one."""

    code = "unauthorized"


class IdempotencyConflict(RequestError):
    """An idempotency key was used before, with another body."""

    code = "idempotency-conflict"


class JobNotFound(RequestError):
    """There is no such job."""

    code = "job-not-found"


class QueueFull(RequestError):
    """As many jobs wait as this trainer lets wait."""

    code = "queue-full"
    retryable = True


class TooManyFollowers(RequestError):
    """As many calls follow a job as this trainer lets follow."""

    code = "too-many-followers"
    retryable = True
