"""Downloads from a local server that fails in the ways that real ones do."""

from __future__ import annotations

import hashlib
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from audioprune.errors import UserError
from audioprune.sources import download as module
from audioprune.sources.download import download

BODY = random.Random(0).randbytes(700_001)
SHA256 = hashlib.sha256(BODY).hexdigest()
QUICK = {"backoff": 0.01, "timeout": 5.0}


class Server(ThreadingHTTPServer):
    """Serves `body`; `script` holds one entry for each request: a status, or a number of bytes to stop after."""

    def __init__(self, body=BODY, *, script=(), ranges=True, etag='"v1"', length=True):
        super().__init__(("127.0.0.1", 0), Handler)
        self.body, self.script, self.ranges, self.etag, self.length = body, list(script), ranges, etag, length
        self.seen: list[dict] = []
        self.url = f"http://127.0.0.1:{self.server_port}/archive.tar.gz"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        server.seen.append(dict(self.headers))
        step = server.script.pop(0) if server.script else None
        if isinstance(step, str):
            status, _, wait = step.partition(" ")
            self.send_response(int(status))
            if wait:
                self.send_header("Retry-After", wait)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start, body = 0, server.body
        asked, guard = self.headers.get("Range"), self.headers.get("If-Range", server.etag)
        if asked and server.ranges and guard == server.etag:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(body):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        if server.etag:
            self.send_header("ETag", server.etag)
        if server.length:
            self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start:] if step is None else body[start : start + step])


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_whole_at_once(tmp_path):
    with Server() as server:
        path = download(server.url, tmp_path / "new" / "a.tar.gz", size=len(BODY), sha256=SHA256, **QUICK)
    assert path.read_bytes() == BODY
    assert [p.name for p in path.parent.iterdir()] == ["a.tar.gz"]
    assert server.seen[0]["Accept-Encoding"] == "identity"


def test_resumes_where_the_connection_broke(tmp_path):
    with Server(script=[300_000, 200_000]) as server:
        path = download(server.url, tmp_path / "a", **QUICK)
    assert path.read_bytes() == BODY
    assert [request.get("Range") for request in server.seen] == [None, "bytes=300000-", "bytes=500000-"]
    assert [request.get("If-Range") for request in server.seen] == [None, '"v1"', '"v1"']


def test_resumes_what_an_earlier_run_left(tmp_path):
    (tmp_path / "a.part").write_bytes(BODY[:123_456])
    with Server() as server:
        assert download(server.url, tmp_path / "a", sha256=SHA256, **QUICK).read_bytes() == BODY
    assert [request.get("Range") for request in server.seen] == ["bytes=123456-"]


def test_a_whole_part_is_not_asked_for_again(tmp_path):
    (tmp_path / "a.part").write_bytes(BODY)
    with Server() as server:
        assert download(server.url, tmp_path / "a", size=len(BODY), **QUICK).read_bytes() == BODY
    assert server.seen == []


def test_starts_over_without_ranges(tmp_path):
    with Server(script=[300_000], ranges=False) as server:
        assert download(server.url, tmp_path / "a", **QUICK).read_bytes() == BODY
    assert len(server.seen) == 2


def test_starts_over_when_the_file_changed_meanwhile(tmp_path):
    with Server(b"A" * 1000, script=[400]) as server:
        server.script.append("503")
        with pytest.raises(UserError, match="1 times in a row"):
            download(server.url, tmp_path / "a", attempts=1, **QUICK)
        server.body, server.etag = b"B" * 900, '"v2"'
        assert download(server.url, tmp_path / "a", **QUICK).read_bytes() == b"B" * 900
    assert server.seen[-1]["Range"] == "bytes=400-"
    assert server.seen[-1]["If-Range"] == '"v1"'


def test_a_range_past_the_end_starts_over(tmp_path):
    (tmp_path / "a.part").write_bytes(BODY + b"more")
    with Server() as server:
        assert download(server.url, tmp_path / "a", sha256=SHA256, **QUICK).read_bytes() == BODY
    assert [request.get("Range") for request in server.seen] == [f"bytes={len(BODY) + 4}-", None]


@pytest.mark.parametrize("status", ["500", "503", "429", "408"])
def test_tries_again_after_a_passing_error(tmp_path, status):
    with Server(script=[status, status]) as server:
        assert download(server.url, tmp_path / "a", **QUICK).read_bytes() == BODY
    assert len(server.seen) == 3


def test_waits_double_and_follow_the_server(tmp_path, monkeypatch):
    waits = []
    monkeypatch.setattr(module.time, "sleep", waits.append)
    with Server(script=["500", "500", "500", "503 7", "503 9999"]) as server:
        download(server.url, tmp_path / "a", backoff=1.0, timeout=5.0)
    assert waits == [1.0, 2.0, 4.0, 8.0, 60.0]


def test_gives_up_with_one_clear_message(tmp_path):
    with Server(script=["500"] * 3) as server, pytest.raises(UserError) as caught:
        download(server.url, tmp_path / "a.tar.gz", attempts=3, **QUICK)
    assert len(server.seen) == 3
    assert all(words in str(caught.value) for words in (server.url, "500", "3 times", "AUDIOPRUNE_MIRROR", "a.tar.gz"))


def test_attempts_count_only_while_nothing_new_comes(tmp_path):
    with Server(script=[100_000] * 7) as server:
        assert download(server.url, tmp_path / "a", attempts=2, **QUICK).read_bytes() == BODY
    assert len(server.seen) == 8


def test_what_is_not_there_is_not_asked_for_twice(tmp_path):
    with Server(script=["404"]) as server, pytest.raises(UserError, match="404"):
        download(server.url, tmp_path / "a", **QUICK)
    assert len(server.seen) == 1


def test_no_server(tmp_path):
    with Server() as server:
        url = server.url
    with pytest.raises(UserError, match=r"no answer \(ConnectionError\), 2 times in a row"):
        download(url, tmp_path / "a", attempts=2, **QUICK)


@pytest.mark.parametrize("length", [True, False])
def test_another_size_is_refused_and_nothing_is_left(tmp_path, length):
    with Server(length=length) as server, pytest.raises(UserError, match=rf"{len(BODY)} bytes(.*) not 17"):
        download(server.url, tmp_path / "a", size=17, **QUICK)
    assert not list(tmp_path.glob("a*.part"))
    assert not (tmp_path / "a").exists()


def test_another_digest_is_refused_with_both(tmp_path):
    with Server() as server, pytest.raises(UserError) as caught:
        download(server.url, tmp_path / "a", sha256="0" * 64, **QUICK)
    assert SHA256 in str(caught.value)
    assert "0" * 64 in str(caught.value)
    assert not (tmp_path / "a.part").exists()
