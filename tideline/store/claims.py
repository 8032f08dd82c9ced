"""Claims: whose a version's number is, in a shared store.

A claim is created where there is none, and stays for ever; so a number is given once. What a run
claimed is its own for as long as it tries: a publisher that died is followed by the next attempt
of its run, and of other runs each takes another number.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from tideline.errors import StoreUnavailable
from tideline.store.base import ModelVersion
from tideline.store.bucket import Bucket
from tideline.store.listing import CLAIM, Listing, listed, version_key

MAX_CLAIM_BYTES = 1 << 16
MAX_RIVALS = 1000
READERS = 8


class _Claim(BaseModel):
    model_config = ConfigDict(frozen=True)

    run_id: str
    claimed: AwareDatetime


def claimed_version(bucket: Bucket, name: str, run_id: str) -> ModelVersion:
    """Return the version whose number is this run's: one that it has, or else the next.

    Raises
    ------
    StoreUnavailable
        When others took a thousand numbers meanwhile.
    """
    found = listed(bucket, name).get(name, Listing())
    number = _number_of_run(bucket, name, run_id, found.claimed - found.deleted)
    if number is not None:
        return ModelVersion(name, number)
    claim = _Claim(run_id=run_id, claimed=datetime.now(UTC)).model_dump_json().encode()
    newest = max(found.claimed, default=0)
    for number in range(newest + 1, newest + 1 + MAX_RIVALS):
        version = ModelVersion(name, number)
        # A number that is taken may be this run's all the same: another attempt of it was
        # quicker, or the answer to the first request was lost.
        if bucket.create(version_key(version, CLAIM), claim) or _run(bucket, version) == run_id:
            return version
    raise StoreUnavailable(
        f"{MAX_RIVALS} others publishing {name!r} were quicker.", mend="Publish it again."
    )


def published_version(bucket: Bucket, name: str, run_id: str) -> ModelVersion | None:
    """Return the version that a run has published whole, if it is still there."""
    found = listed(bucket, name).get(name, Listing())
    number = _number_of_run(bucket, name, run_id, set(found.visible))
    return None if number is None else ModelVersion(name, number)


def is_withdrawn(bucket: Bucket, name: str, run_id: str) -> bool:
    """Tell whether a version that a run had published was deleted."""
    found = listed(bucket, name).get(name, Listing())
    return _number_of_run(bucket, name, run_id, found.deleted) is not None


def _number_of_run(bucket: Bucket, name: str, run_id: str, numbers: set[int]) -> int | None:
    taken = [ModelVersion(name, number) for number in sorted(numbers, reverse=True)]
    with ThreadPoolExecutor(READERS) as pool:
        runs = pool.map(lambda version: _run(bucket, version), taken)
        own = [v.number for v, run in zip(taken, runs, strict=True) if run == run_id]
    return own[0] if own else None


def _run(bucket: Bucket, version: ModelVersion) -> str | None:
    content = bucket.read(version_key(version, CLAIM), MAX_CLAIM_BYTES)
    try:
        return None if content is None else _Claim.model_validate_json(content).run_id
    except ValidationError:
        return None  # Damaged: it says nothing of its run, and the number stays taken.
