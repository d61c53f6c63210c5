"""Downloads that survive a bad network: retried with back-off, resumed where they stopped, verified at the end.

Bytes go into `<name>.part`; `<name>` appears only when it is whole. A later attempt, in this run or the next, asks for
the rest by HTTP Range (RFC 9110 section 14), guarded by If-Range where the server gave a validator, so that two
versions of a file are never stitched together.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import requests
import urllib3

from audioprune import disk
from audioprune.errors import UserError
from audioprune.progress import Progress
from audioprune.records import sha256_file

log = logging.getLogger("audioprune")

CHUNK = 1 << 18
MIB = 1 << 20
PASSING = (408, 425, 429, 500, 502, 503, 504)  # worth another try
LONGEST_WAIT = 60.0


class _Again(Exception):
    """A failure that may pass; `wait`: seconds that the server asked for."""

    def __init__(self, why: str, wait: float = 0.0):
        super().__init__(why)
        self.wait = wait


def download(
    url: str,
    target: Path,
    *,
    size: int | None = None,
    sha256: str | None = None,
    mib: int = 0,
    attempts: int = 6,
    backoff: float = 1.0,
    timeout: float = 60.0,
) -> Path:
    """Fetch `url` into `target` and return it.

    size (bytes) and sha256 are checked where given; mib: about how much it is, for progress only. `attempts` counts
    tries that brought nothing new, one after another; waits double from `backoff` seconds. Raises UserError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    most, failures = _size(part), 0
    while True:
        try:
            _attempt(url, part, size, mib, timeout)
            break
        except _Again as error:
            failures = 0 if _size(part) > most else failures + 1
            most = max(most, _size(part))
            if failures >= attempts:
                raise _failed(url, target.name, f"{error}, {failures} times in a row") from None
            wait = min(max(error.wait, backoff * 2 ** max(failures - 1, 0)), LONGEST_WAIT)
            log.info("%s: %s; trying again in %.3g s", target.name, error, wait)
            time.sleep(wait)
    _check(url, part, size, sha256)
    os.replace(part, target)
    _tag(part).unlink(missing_ok=True)
    return target


def _attempt(url: str, part: Path, size: int | None, mib: int, timeout: float) -> None:
    """One request; appends what it brings to `part`."""
    have = _size(part)
    if size and have == size:
        return
    headers = {"Accept-Encoding": "identity"}  # the archive's own bytes, not a stream that is unpacked on the way
    if have:
        headers["Range"] = f"bytes={have}-"
        if _tag(part).is_file():
            headers["If-Range"] = _tag(part).read_text(encoding="latin-1")
    try:
        response = requests.get(url, headers=headers, stream=True, timeout=timeout)
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.SSLError) as error:
        raise _failed(url, part.stem, str(error)) from None
    except requests.RequestException as error:
        raise _Again(f"no answer ({type(error).__name__})") from None
    with response:
        have = _accepted(response, url, part, have)
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdigit() else None
        if size and total and total != size:
            part.unlink(missing_ok=True)
            raise _failed(url, part.stem, f"it is {total} bytes there, not {size}: it was changed at its source")
        _remember_validator(response, part)
        _stream(response, part, have, total, mib)


def _accepted(response: requests.Response, url: str, part: Path, have: int) -> int:
    """The size at which the answer's bytes begin; raises where the answer is not the file."""
    code = response.status_code
    if code == 200:
        return 0  # from the start: no ranges here, or another version of the file
    if code == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        return have
    if code in (206, 416):
        part.unlink(missing_ok=True)
        raise _Again("the server cannot continue the download; starting over")
    if code in PASSING:
        asked = response.headers.get("Retry-After", "")
        raise _Again(f"the server answers {code} {response.reason}", float(asked) if asked.isdigit() else 0.0)
    raise _failed(url, part.stem, f"the server answers {code} {response.reason}")


def _stream(response: requests.Response, part: Path, have: int, total: int | None, mib: int) -> None:
    progress = Progress(f"downloading {part.stem}", round((total or 0) / MIB) or mib, "MiB", done=have // MIB)
    done = have
    try:
        out = open(part, "r+b" if have else "wb")  # noqa: SIM115 (closed by `with` below)
    except OSError as error:
        raise disk.unwritable(part, error) from None
    with disk.one_message_if_full(part), out:
        out.seek(have)
        while True:
            try:
                chunk = response.raw.read(CHUNK, decode_content=False)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise _Again(f"the connection broke after {done} bytes ({type(error).__name__})") from None
            if not chunk:
                break
            try:
                out.write(chunk)
            except OSError as error:
                raise disk.unwritable(part, error) from None
            new = (done + len(chunk)) // MIB - done // MIB
            done += len(chunk)
            if new:
                progress.total = max(progress.total, done // MIB + (total is None))  # `mib` was only about right
                progress.add(new)
        out.flush()
        os.fsync(out.fileno())
    if total is not None and done < total:
        raise _Again(f"the connection ended after {done} of {total} bytes")


def _check(url: str, part: Path, size: int | None, sha256: str | None) -> None:
    got = _size(part)
    if size and got != size:
        part.unlink(missing_ok=True)
        raise _failed(url, part.stem, f"it is {got} bytes, not {size}")
    if sha256 and (found := sha256_file(part)) != sha256:
        part.unlink(missing_ok=True)
        raise _failed(
            url,
            part.stem,
            f"its SHA-256 is {found}, not {sha256}; if this happens again, the file was changed at its source",
        )


def _remember_validator(response: requests.Response, part: Path) -> None:
    """Keep a strong ETag, or the date of the last change, for If-Range."""
    tag = response.headers.get("ETag", "")
    tag = tag if tag.startswith('"') else response.headers.get("Last-Modified", "")
    if tag:
        _tag(part).write_text(tag, encoding="latin-1")
    else:
        _tag(part).unlink(missing_ok=True)


def _tag(part: Path) -> Path:
    return part.with_name(part.name + ".tag")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _failed(url: str, file: str, why: str) -> UserError:
    mend = f"run again later, or put {file} into a folder and name that folder in AUDIOPRUNE_MIRROR"
    return UserError(f"{url} could not be downloaded: {why}. What to do: {mend}")
