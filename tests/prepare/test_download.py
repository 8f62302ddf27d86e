import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from geo_lm4ve.files import DiskFullError, WriteError
from geo_lm4ve.parts.data import DataError
from geo_lm4ve.prepare import download as download_module
from geo_lm4ve.prepare.download import download

CONTENT = np.random.default_rng(0).bytes(300_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server:
    """A loopback web server of one file that can misbehave; ``requests`` are (path, Range header)."""

    def __init__(self):
        self.requests: list[tuple[str, str | None]] = []
        self.errors: dict[str, list[int]] = {}  # path -> statuses to answer first
        self.drops: list[int] = []  # bytes after which the next answers break off
        self.ranges = True
        self.lengths = True
        self.headers: dict[str, str] = {}  # sent instead of the true ones
        self.content = {"/file.zip": CONTENT, "/wrong.zip": CONTENT[::-1]}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path="/file.zip"):
        return f"http://127.0.0.1:{self.server.server_address[1]}{path}"

    def answer(self, handler):
        wanted = handler.headers.get("Range")
        self.requests.append((handler.path, wanted))
        if self.errors.get(handler.path):
            return handler.send_error(self.errors[handler.path].pop(0))
        content = self.content.get(handler.path)
        if content is None:
            return handler.send_error(404)
        start = int(wanted[6:-1]) if wanted and self.ranges else 0
        if start >= len(content):
            return handler.send_error(416)
        body = content[start:]
        handler.send_response(206 if start else 200)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        if self.lengths and "Content-Length" not in self.headers:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: self.drops.pop(0)] if self.drops else body)
        return None


@pytest.fixture
def server():
    server = Server()
    yield server
    server.server.shutdown()
    server.server.server_close()


@pytest.fixture
def target(tmp_path):
    return tmp_path / "raw" / "file.zip"


def fetch(target, *urls):
    return download(urls, target, MD5, pause=0.0)


def part(target):
    return target.with_name("file.zip.part")


def test_plain(server, target):
    assert fetch(target, server.url()) == target
    assert target.read_bytes() == CONTENT
    assert not part(target).exists()
    assert server.requests == [("/file.zip", None)]


def test_intact_file_is_not_fetched_again_and_a_damaged_one_is(server, target, capsys):
    target.parent.mkdir()
    target.write_bytes(CONTENT)
    fetch(target, server.url())
    assert server.requests == []
    assert "is there and intact" in capsys.readouterr().err
    target.write_bytes(CONTENT[:-1])
    fetch(target, server.url())
    assert target.read_bytes() == CONTENT
    assert "is damaged" in capsys.readouterr().err


def test_broken_transfer_goes_on_where_it_stopped(server, target, capsys):
    server.drops = [100_000, 50_000]
    fetch(target, server.url())
    assert [wanted for _, wanted in server.requests] == [None, "bytes=100000-", "bytes=150000-"]
    assert target.read_bytes() == CONTENT
    assert "going on from byte 100000" in capsys.readouterr().err


def test_transfer_may_break_often_as_long_as_bytes_arrive(server, target):
    server.drops = [20_000] * 12
    fetch(target, server.url())
    assert len(server.requests) == 13


def test_the_next_run_goes_on(server, target):
    server.errors["/file.zip"] = [404]
    target.parent.mkdir()
    part(target).write_bytes(CONTENT[:70_000])
    with pytest.raises(DataError):
        fetch(target, server.url())
    assert part(target).stat().st_size == 70_000
    fetch(target, server.url())
    assert server.requests[-1] == ("/file.zip", "bytes=70000-")
    assert target.read_bytes() == CONTENT


def test_another_source_continues_the_same_part(server, target):
    server.content["/dead.zip"] = CONTENT
    server.drops = [90_000, 0, 0, 0, 0]
    fetch(target, server.url("/dead.zip"), server.url())
    assert server.requests[-1] == ("/file.zip", "bytes=90000-")
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("there", [1000, 300_000])
def test_server_without_ranges_sends_all_again(server, target, there):
    server.ranges = False
    target.parent.mkdir()
    part(target).write_bytes(b"x" * there)
    fetch(target, server.url())
    assert target.read_bytes() == CONTENT


def test_server_without_lengths(server, target):
    server.lengths = False
    fetch(target, server.url())
    assert target.read_bytes() == CONTENT


def test_complete_part_is_taken(server, target):
    target.parent.mkdir()
    part(target).write_bytes(CONTENT)
    fetch(target, server.url())
    assert server.requests == [("/file.zip", "bytes=300000-")]
    assert target.read_bytes() == CONTENT


def test_passing_server_error_is_tried_again(server, target):
    server.errors["/file.zip"] = [503, 500]
    fetch(target, server.url())
    assert len(server.requests) == 3


def test_wrong_file_is_thrown_away_and_the_next_source_tried(server, target, capsys):
    fetch(target, server.url("/wrong.zip"), server.url())
    assert target.read_bytes() == CONTENT
    assert f"instead of {MD5}" in capsys.readouterr().err


def test_every_source_gone(server, target):
    closed = "http://127.0.0.1:9/file.zip"
    with pytest.raises(DataError) as caught:
        fetch(target, server.url("/gone.zip"), closed, server.url("/wrong.zip"))
    lines = str(caught.value).splitlines()
    assert lines[0] == "no source gave file.zip:"
    assert "404" in lines[1]
    assert "refused" in lines[2]
    assert f"instead of {MD5}" in lines[3]
    assert not target.exists()
    assert not part(target).exists()


def test_a_disk_that_runs_full_in_the_transfer_is_named_at_once(server, target):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    target.parent.mkdir()
    part(target).symlink_to("/dev/full")
    with pytest.raises(DiskFullError, match=rf"^no space left while writing {part(target)}"):
        fetch(target, server.url(), server.url())
    assert len(server.requests) == 1


def test_a_place_that_cannot_be_written_is_named_at_once(server, target):
    part(target).mkdir(parents=True)
    with pytest.raises(WriteError, match=rf"^cannot write {part(target)} \(Is a directory"):
        fetch(target, server.url(), server.url())
    assert len(server.requests) == 1


def test_full_disk_is_seen_before_the_transfer(server, target, monkeypatch):
    usage = download_module.shutil.disk_usage(target.anchor)
    monkeypatch.setattr(download_module.shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(DiskFullError, match=r"0.00 GB free, 0.00 GB are needed; make room or choose another folder"):
        fetch(target, server.url(), server.url())
    assert len(server.requests) == 1
    assert not target.exists()


@pytest.mark.parametrize(
    ("headers", "done", "said"),
    [
        ({"Content-Length": "many"}, 0, "the server gives the length 'many'"),
        ({"Content-Length": "-5"}, 0, "the server gives the length '-5'"),
        ({"Content-Range": "bytes 7-299999/300000"}, 1000, "sends bytes from 7 on, asked for were those from 1000"),
    ],
)
def test_answers_that_cannot_be_meant(server, tmp_path, headers, done, said):
    server.headers = headers
    target = tmp_path / "file.zip"
    if done:
        target.with_name("file.zip.part").write_bytes(CONTENT[:done])
    with pytest.raises(DataError, match=said):
        download([server.url()], target, None, pause=0)
    assert not target.exists()
