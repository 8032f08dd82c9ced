"""Where the series and the labels come from: a file beside the spec, or a URL."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import httpx
from obstore.exceptions import (
    BaseError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import from_url

from tideline.errors import InputNotFound, SpecError, StoreUnavailable

LOCAL = ("", "file")
WEB = ("http", "https")
OBJECTS = ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss")
SECONDS_TO_ANSWER = 30.0
GONE = (401, 403, 404, 410)


def read_input(location: str, folder: Path, field: str) -> bytes:
    """Return the content of a file or a URL.

    Parameters
    ----------
    location
        A path, relative to `folder`, or a URL of a scheme in `LOCAL`, `WEB` or `OBJECTS`.
    field
        The key of the spec that named it, for messages.

    Raises
    ------
    InputNotFound
        When there is no such file or object, or it may not be read.
    SpecError
        When the URL is of another scheme.
    StoreUnavailable
        When the other side cannot be reached, or does not answer.
    """
    parts = urlsplit(location)
    # One letter before the colon is a drive, not a scheme.
    scheme = parts.scheme.lower() if len(parts.scheme) > 1 else ""
    if scheme in WEB:
        return _download(location, field)
    if scheme in OBJECTS:
        return _fetch(location, field)
    if scheme not in LOCAL:
        raise SpecError(
            f"{field} is a URL of the scheme {scheme!r}; one of "
            f"{', '.join(('file', *WEB, *OBJECTS))} is expected.",
            mend="Copy the data to a place that one of these names.",
            field=field,
        )
    path = Path(url2pathname(unquote(parts.path)) if scheme == "file" else location)
    return _read(folder / path.expanduser(), field)


def _read(path: Path, field: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputNotFound(
            f"{field} names {str(path)!r}, which cannot be read: {error.strerror}.",
            mend="A relative path counts from the folder of the spec.",
            field=field,
        ) from error


def _download(url: str, field: str) -> bytes:
    try:
        answer = httpx.get(url, timeout=SECONDS_TO_ANSWER, follow_redirects=True)
    except httpx.HTTPError as error:
        raise _unreachable(url, field) from error
    if answer.status_code in GONE:
        raise _missing(url, field)
    if not answer.is_success:
        raise _unreachable(url, field)
    return answer.content


def _fetch(url: str, field: str) -> bytes:
    base, _, name = url.rpartition("/")
    try:
        store = from_url(base, retry_config={"max_retries": 2})
        return bytes(store.get(name).bytes())
    except (FileNotFoundError, NotFoundError, PermissionDeniedError, UnauthenticatedError) as error:
        raise _missing(url, field) from error
    except (BaseError, OSError) as error:
        raise _unreachable(url, field) from error


def _missing(url: str, field: str) -> InputNotFound:
    return InputNotFound(
        f"{field} names {_bare(url)!r}, which is not there or may not be read.",
        mend="Check the URL, and the credentials in the environment.",
        field=field,
    )


def _unreachable(url: str, field: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"{field} names {_bare(url)!r}, which cannot be reached now.",
        mend="Try again; check the network and the host's name.",
        field=field,
    )


def _bare(url: str) -> str:
    """Return the URL without user, password and query, which may be secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
