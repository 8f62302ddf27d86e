"""Files from the web: resumed where they broke off, from one of several sources, checked before they count."""

from __future__ import annotations

import hashlib
import http.client
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from email.message import Message
from pathlib import Path

from geo_lm4ve.data.errors import DataError
from geo_lm4ve.files import DiskFullError, WriteError, remove, writing
from geo_lm4ve.notice import say
from geo_lm4ve.progress import Meter

CHUNK = 1 << 20
ATTEMPTS = 4
TIMEOUT = 30.0  # seconds without a byte


def download(urls: Sequence[str], target: Path, md5: str | None, *, pause: float = 2.0) -> Path:
    """Fetch a file into ``target``.

    What arrived is kept in ``<target>.part``; the next attempt, source or run goes on from there. A file with a wrong
    checksum is thrown away and the next source tried. TLS certificates are verified.

    Args:
        urls: sources of the same file, tried in this order.
        target: where it goes; nothing is fetched when it is there with the right checksum.
        md5: its checksum; None where its source tells none: then only its length is checked.
        pause: seconds before a broken transfer is taken up again, doubled each time.

    Raises:
        DataError: no source gave the file; lists what each of them answered.
        DiskFullError: the file does not fit.
        WriteError: it may not be written.
    """
    if target.is_file():
        if md5 is None or _md5(target) == md5:
            say(f"{target} is there and intact")
            return target
        say(f"{target} is damaged (its MD5 is not {md5}): fetching it again")
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    answers = []
    for url in urls:
        try:
            _fetch(url, part, pause)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, WriteError):
                raise
            answers.append(f"{url}: {error or type(error).__name__}")
            say(answers[-1])
            continue
        if md5 is None or (found := _md5(part)) == md5:
            with writing(target):
                part.replace(target)
            return target
        remove(part)
        answers.append(f"{url}: a file with MD5 {found} instead of {md5}")
        say(answers[-1])
    raise DataError(f"no source gave {target.name}:\n  " + "\n  ".join(answers))


def _fetch(url: str, part: Path, pause: float) -> None:
    """Bring ``part`` to its full length; a broken transfer is taken up again as long as bytes arrive."""
    failures = 0
    while True:
        before = _size(part)
        try:
            return _continue(url, part)
        except (OSError, http.client.HTTPException) as error:
            failures = 1 if _size(part) > before else failures + 1
            if failures == ATTEMPTS or not _passing(error):
                raise
            say(f"{url}: {error}; going on from byte {_size(part)}")
        time.sleep(pause * 2 ** (failures - 1))


def _passing(error: Exception) -> bool:
    """Whether the same request may succeed a moment later: broken connections and a server's own errors."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code >= 500
    return not isinstance(error, WriteError)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _continue(url: str, part: Path) -> None:
    done = _size(part)
    headers = {"User-Agent": "geo_lm4ve", **({"Range": f"bytes={done}-"} if done else {})}
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is left to fetch; a part that is too long fails its checksum
        raise
    with answer:
        if answer.status != http.client.PARTIAL_CONTENT:
            done = 0  # the server sends the file from its beginning
        left = _announced(answer.headers, done)
        _check_space(part, left)
        meter = Meter(part.stem, done + left if left else None, unit="bytes", done=done)
        with writing(part):
            file = part.open("ab" if done else "wb")
        with file, meter:
            while chunk := answer.read(CHUNK):
                with writing(part):
                    file.write(chunk)
                    file.flush()
                meter.advance(len(chunk))
        if left and (missing := done + left - _size(part)) > 0:
            raise ConnectionError(f"the connection ended {missing} bytes early")


def _announced(headers: Message, done: int) -> int:
    """Bytes that the server says will come, 0 where it does not; HTTPException where they are not those asked for."""
    length = headers.get("Content-Length") or "0"
    if not (length.isascii() and length.isdecimal()):
        raise http.client.HTTPException(f"the server gives the length {length!r:.40}")
    start = re.match(r"bytes (\d+)-", headers.get("Content-Range") or "")
    if start and int(start[1]) != done:
        raise http.client.HTTPException(f"the server sends bytes from {start[1]} on, asked for were those from {done}")
    return int(length)


def _check_space(path: Path, needed: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if needed > free:
        raise DiskFullError(
            f"{path.parent.absolute()} has {free / 1e9:.2f} GB free, {needed / 1e9:.2f} GB are needed; make room or "
            "choose another folder by --root"
        )


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
