"""Objects under one URL: the thin edge to obstore.

What all of them have in common is used and no more: an object appears whole or not at all, one
that is there is not written over when asked so, and a listing shows what was written before it.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from obstore.exceptions import AlreadyExistsError, BaseError, GenericError
from obstore.store import LocalStore, from_url

from tideline.errors import ModelRefused, SpecError, StoreUnavailable
from tideline.store.disk import sync

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Objects

SCHEMES = ("file", "s3", "s3a", "gs", "az", "azure", "abfs", "abfss")
PATIENCE = 10.0
"""Seconds over which a request that failed is tried again."""
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0
MAX_RETRIES = 10_000
BLOCK = 1 << 24
"""Bytes asked for at once, so that a slow network is no timeout."""
MAX_LISTED = 1_000_000

_USER_IS_CONTAINER = ("abfs", "abfss", "az", "azure")
_NO_OBJECT = ("NoSuchKey", "BlobNotFound")
_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_ELAPSED = re.compile(r"://\S+ in ([\d.]+[a-zµ]{1,2})\b")
_RETRIES = re.compile(r"after (\d+) retries")


class Bucket:
    """The objects under a URL, by key: names with `/` between them.

    Credentials come from the environment, as each cloud's own programs read them: `AWS_*`,
    `GOOGLE_*`, `AZURE_*`. Safe to use from several threads and processes.

    Parameters
    ----------
    url
        `file:///folder`, `s3://bucket/prefix`, `gs://bucket/prefix`, `az://account/container/...`.
    patience
        Seconds over which a request that failed is tried again.

    Raises
    ------
    SpecError
        When the URL is of another kind, holds credentials, or the environment lacks what its
        kind needs.
    """

    def __init__(self, url: str, *, patience: float = PATIENCE) -> None:
        self.url = _checked(url)
        self.patience = patience
        self.folder = _folder(self.url)
        self._remote = None if self.folder else self._connect()

    def __repr__(self) -> str:
        return f"Bucket({self.url!r})"

    def make(self) -> None:
        """Make the folder, where the store is one; a bucket of a cloud is made by its owner."""
        if self.folder is not None:
            with self._reaching("making the folder"):
                self.folder.mkdir(parents=True, exist_ok=True)

    def create(self, key: str, content: bytes) -> bool:
        """Write a small object if there is none of its name; tell whether it was written.

        False may also mean that a first request wrote it whose answer was lost: obstore does not
        repeat these, and this does. So the content should tell its writer.
        """
        ends = time.monotonic() + self.patience
        for pause in _pauses():
            try:
                return self._created(key, content)
            except _PassingError as error:
                if time.monotonic() + pause > ends:
                    raise _unavailable(self.url, f"writing {key}", str(error)) from None
                time.sleep(pause)
        raise AssertionError("the pauses have no end")

    def upload(self, key: str, blocks: Iterable[bytes]) -> None:
        """Write an object, or replace it, from its blocks."""
        with self._reaching(f"writing {key}"):
            self._objects().put(key, iter(blocks))
        self._sync(key)

    def read(self, key: str, limit: int) -> bytes | None:
        """Return an object's content, or None when there is none.

        Raises
        ------
        ModelRefused
            When it is over `limit` bytes.
        """
        try:
            with self._reaching(f"reading {key}"):
                found = self._objects().get(key)
                if found.meta["size"] > limit:
                    raise ModelRefused(
                        f"{key} is over {limit} bytes.", mend="Publish the model again."
                    )
                return bytes(found.bytes())
        except _AbsentError:
            return None

    def download(self, key: str, target: Path, size: int) -> bool:
        """Write an object of a known size to a file; tell whether it was there.

        Raises
        ------
        ModelRefused
            When it has another size; then nothing of it is written.
        """
        try:
            with self._reaching(f"reading {key}"):
                found = self._objects().head(key)["size"]
                if found != size:
                    raise ModelRefused(
                        f"{key} has {found} bytes, and {size} are expected.",
                        mend="Publish the model again; do not change a published file.",
                    )
            with target.open("wb") as file:
                for start in range(0, size, BLOCK):
                    with self._reaching(f"reading {key}"):
                        block = self._objects().get_range(
                            key, start=start, length=min(BLOCK, size - start)
                        )
                    file.write(block)
        except _AbsentError:
            return False
        return True

    def keys(self, prefix: str) -> Iterator[str]:
        """Return the keys below a prefix, which is whole names and not a part of one."""
        listed = 0
        with self._reaching(f"listing {prefix}"):
            for some in self._objects().list(prefix):
                listed += len(some)
                if listed > MAX_LISTED:
                    raise StoreUnavailable(
                        f"{self.url} holds over {MAX_LISTED} objects under {prefix}.",
                        mend="Delete versions that nobody needs.",
                        field="store",
                    )
                yield from (entry["path"] for entry in some)

    def names(self, prefix: str) -> tuple[str, ...]:
        """Return the names directly below a prefix that have keys below them."""
        with self._reaching(f"listing {prefix}"):
            found = self._objects().list_with_delimiter(prefix)["common_prefixes"]
        return tuple(sorted(path.rpartition("/")[2] for path in found))

    def remove(self, keys: Iterable[str]) -> None:
        """Delete objects; those that are not there are no error."""
        for key in keys:
            try:
                with self._reaching(f"deleting {key}"):
                    self._objects().delete(key)
            except _AbsentError:
                continue

    def _created(self, key: str, content: bytes) -> bool:
        try:
            with self._reaching(f"writing {key}"):
                try:
                    self._objects().put(key, content, mode="create", use_multipart=False)
                except GenericError as error:
                    if _is_passing(str(error)):
                        raise _PassingError(str(error)) from None
                    raise
        except _ExistsError:
            return False
        self._sync(key)
        return True

    def _connect(self) -> Objects:
        try:
            # No client options here: they would replace those of the environment, AWS_ALLOW_HTTP
            # among them.
            return from_url(
                self.url,
                retry_config={
                    # The time decides, not the count: by default the pauses stay so short that
                    # twenty tries are over after some seconds.
                    "max_retries": MAX_RETRIES,
                    "retry_timeout": timedelta(seconds=self.patience),
                    "backoff": {
                        "init_backoff": timedelta(seconds=FIRST_PAUSE),
                        "max_backoff": timedelta(seconds=LONGEST_PAUSE),
                        "base": 4,
                    },
                },
            )
        except (BaseError, ValueError) as error:
            raise SpecError(
                f"the store {self.url} cannot be opened: {_first_line(str(error))}.",
                mend="Check the URL, and the variables of its kind in the environment: AWS_*, "
                "GOOGLE_* or AZURE_*.",
                field="store",
            ) from None

    def _objects(self) -> Objects:
        # A folder is opened each time: one that has gone would look like an empty one.
        if self._remote is not None:
            return self._remote
        if self.folder is None or not self.folder.is_dir():
            raise _unavailable(self.url, "opening it", "there is no such folder")
        return LocalStore(self.folder)

    def _sync(self, key: str) -> None:
        """Wait until an object is on the disk, where the store is a folder."""
        if self.folder is not None:
            with self._reaching(f"writing {key}"):
                sync(self.folder / key)
                sync((self.folder / key).parent)

    @contextmanager
    def _reaching(self, what: str) -> Iterator[None]:
        """Turn what obstore raises into errors of the store, without the text of an answer.

        That text quotes the key and the signature of a request that was refused; so the cause
        is left out, too.
        """
        try:
            yield
        except AlreadyExistsError:
            raise _ExistsError from None
        except (BaseError, OSError) as error:
            code = _CODE.search(str(error))
            # A bucket or a user that is not there answers 404 as well.
            if isinstance(error, FileNotFoundError) and (not code or code[1] in _NO_OBJECT):
                raise _AbsentError from None
            raise _unavailable(self.url, what, str(error)) from None


class _ExistsError(Exception):
    """There is an object of this name."""


class _AbsentError(Exception):
    """There is no object of this name."""


class _PassingError(Exception):
    """A request was not answered; the next one may be."""


def _pauses() -> Iterator[float]:
    return (min(LONGEST_PAUSE, FIRST_PAUSE * 2**n) for n in count())


def _is_passing(text: str) -> bool:
    status = _STATUS.search(text)
    return int(status[1]) >= 500 if status else "HTTP error" in text


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise SpecError(
            f"the address of the store cannot be read: {error}.",
            mend="Write it as file:///folder or s3://bucket/prefix.",
            field="store",
        ) from error
    scheme = parts.scheme.lower()
    user = parts.username is not None and scheme not in _USER_IS_CONTAINER
    if user or parts.password is not None or parts.query or parts.fragment:
        raise SpecError(
            f"the address of a store of kind {scheme}:// holds a user, a password or a query.",
            mend="Give credentials by the environment: AWS_*, GOOGLE_* or AZURE_*.",
            field="store",
        )
    host_fits = parts.netloc in {"", "localhost"} if scheme == "file" else bool(parts.netloc)
    if scheme not in SCHEMES or not host_fits or (scheme == "file" and not parts.path.strip("/")):
        raise SpecError(
            f"{url!r} is not the address of a model store: a folder, or a URL such as "
            "file:///folder, s3://bucket/prefix, gs://bucket/prefix or az://account/container is "
            "expected.",
            mend="Name where the models are kept.",
            field="store",
        )
    if scheme == "file":
        return f"file://{parts.path.rstrip('/')}"
    return url.rstrip("/")


def _folder(url: str) -> Path | None:
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _unavailable(url: str, what: str, text: str) -> StoreUnavailable:
    retries = _RETRIES.search(text)
    elapsed = _ELAPSED.search(text)
    tried = f", tried {int(retries[1]) + 1} times" if retries else ""
    tried += f" in {elapsed[1]}" if elapsed else ""
    code, status = _CODE.search(text), _STATUS.search(text)
    reason = code[1] if code else f"HTTP status {status[1]}" if status else _first_line(text)
    return StoreUnavailable(
        f"the model store {url} cannot be used: {what} failed{tried}: {reason}.",
        mend="See that the address is right and can be reached, and that the credentials in the "
        "environment may do this.",
        field="store",
    )


def _first_line(text: str) -> str:
    """Return what the first line of an error of obstore says last, without URLs."""
    line = next(iter(text.splitlines()), "").strip()
    said = line.rpartition(" - ")[2]
    said = re.sub(r"^Generic \w+ error: ", "", said)
    return re.sub(r"\w+://\S+", "the address", said).strip(" .") or os.strerror(5)
