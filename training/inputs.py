"""Where the series and the labels come from: a file beside the spec, or a URL."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import url2pathname

import httpx
from obstore.exceptions import (
    BaseError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import from_url

from tideline.errors import DataError, InputNotFound, SpecError, StoreUnavailable

LOCAL = ("", "file")
WEB = ("http", "https")
OBJECTS = ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss")
SECONDS_TO_ANSWER = 30.0
PASSING = (408, 425, 429)
"""Answers of a server that blame the client, and are worth another try all the same."""
MAX_BYTES = 1 << 31
"""The size of the largest file that is read from a URL, which is held in memory."""


def read_input(location: str, folder: Path | str, field: str) -> bytes:
    """Return the content of a file or a URL.

    Parameters
    ----------
    location
        A path, relative to `folder`, or a URL of a scheme in `LOCAL`, `WEB` or `OBJECTS`.
    folder
        The spec's own: a path, or a URL.
    field
        The key of the spec that named it, for messages.

    Raises
    ------
    InputNotFound
        When there is no such file or object, or it may not be read.
    SpecError
        When the URL is of another scheme, or is none.
    DataError
        When what it names is larger than `MAX_BYTES`.
    StoreUnavailable
        When the other side cannot be reached, or does not answer.
    """
    if isinstance(folder, str):
        location, folder = within(folder, location), Path("/")
    parts = _parts(location, field)
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


def within(folder: str, location: str) -> str:
    """Return the URL of what a spec names, from the URL of the spec's folder."""
    return location if "://" in location else f"{folder}/{location}"


def _read(path: Path, field: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputNotFound(
            f"{field} names {str(path)!r}, which cannot be read: {error.strerror}.",
            mend="A relative path counts from the folder of the spec.",
            field=field,
        ) from error


def _parts(location: str, field: str) -> SplitResult:
    try:
        parts = urlsplit(location)
        _ = parts.port  # is checked only when it is asked for
    except ValueError as error:
        # Not in the error's words, which may hold what was meant as a password.
        raise _no_url(location, field, "it cannot be parsed") from error
    if parts.scheme.lower() in (*WEB, *OBJECTS) and not parts.hostname:
        raise _no_url(location, field, "it names no host")
    if parts.scheme.lower() in OBJECTS and parts.path.strip("/") == "":
        raise _no_url(location, field, "it names no object")
    return parts


def _download(url: str, field: str) -> bytes:
    try:
        with httpx.stream("GET", url, timeout=SECONDS_TO_ANSWER, follow_redirects=True) as answer:
            if answer.is_client_error and answer.status_code not in PASSING:
                raise _missing(url, field)
            if not answer.is_success:
                raise _unreachable(url, field)
            return _bounded(answer.iter_bytes(), url, field)
    except httpx.HTTPError as error:
        raise _unreachable(url, field) from error
    except (httpx.InvalidURL, UnicodeError) as error:
        raise _no_url(url, field, "it cannot be parsed") from error


def _bounded(blocks: Iterable[bytes], url: str, field: str) -> bytes:
    content = bytearray()
    for block in blocks:
        content += block
        if len(content) > MAX_BYTES:
            raise DataError(
                f"{field} names {bare(url)!r}, which is over {MAX_BYTES} bytes.",
                mend="Send fewer cases, or Parquet, or put the file beside the spec.",
                field=field,
            )
    return bytes(content)


def _fetch(url: str, field: str) -> bytes:
    base, _, name = url.rpartition("/")
    try:
        store = from_url(base, retry_config={"max_retries": 2})
        return _bounded(map(bytes, store.get(name).stream()), url, field)
    except (FileNotFoundError, NotFoundError, PermissionDeniedError, UnauthenticatedError) as error:
        raise _missing(url, field) from error
    except (BaseError, OSError) as error:
        raise _unreachable(url, field) from error


def _missing(url: str, field: str) -> InputNotFound:
    return InputNotFound(
        f"{field} names {bare(url)!r}, which is not there or may not be read.",
        mend="Check the URL, and the credentials in the environment.",
        field=field,
    )


def _unreachable(url: str, field: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"{field} names {bare(url)!r}, which cannot be reached now.",
        mend="Try again; check the network and the host's name.",
        field=field,
    )


def _no_url(location: str, field: str, why: str) -> SpecError:
    return SpecError(
        f"{field} names {bare(location)!r}, which is no URL: {why}.",
        mend="Write scheme://host/path, with %20 for a space.",
        field=field,
    )


def bare(location: str) -> str:
    """Return a URL without user, password and query, which may be secrets; a path as it is."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return location.partition(":")[0] + "://"
    if "://" not in location and parts.scheme.lower() not in (*WEB, *OBJECTS):
        return location
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
