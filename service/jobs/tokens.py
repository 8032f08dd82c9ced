"""The token by which a job's own pod, and nobody else, may tell of its progress."""

from __future__ import annotations

import hashlib
import hmac


def job_token(secret: str, job_id: str) -> str:
    """Return the token of a job."""
    return hmac.new(secret.encode(), f"job:{job_id}".encode(), hashlib.sha256).hexdigest()


def is_token_of(given: str, secret: str, job_id: str) -> bool:
    """Whether a token is the job's own; takes as long for any token."""
    return hmac.compare_digest(given.encode(), job_token(secret, job_id).encode())
