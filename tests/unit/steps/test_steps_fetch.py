"""The fetch step: from a mirror, from a server, by hand; and what it refuses."""

from __future__ import annotations

import hashlib
import http.server
import io
import tarfile
import threading
from functools import partial
from pathlib import Path

import pytest

from audioprune import records
from audioprune.errors import UserError
from audioprune.fingerprints.keys import code_of, key_of
from audioprune.settings.data import FetchSettings
from audioprune.sources import catalogue, manifest, mirror, place
from audioprune.sources.content import digest_of
from audioprune.steps import fetch as step
from audioprune.steps._run import Job

FILES = {"a.wav": b"one", "sub/b.wav": b"two"}
CONTENT = digest_of({name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()})


def packed(path: Path, files: dict[str, bytes] = FILES) -> Path:
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:gz") as t:
        for name, data in (files | {"code.py": b"not data"}).items():
            info = tarfile.TarInfo(f"top-1a2b/{name}")
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return path


def row(**other) -> catalogue.Source:
    base = {
        "title": "T", "version": "1", "home": "https://example.org", "licence": "CC0", "credit": "nobody", "mib": 1,
        "archives": [{"url": "http://127.0.0.1:9/a.tar.gz", "file": "a.tar.gz"}], "strip": 1, "keep": ["*.wav"],
        "content": CONTENT, "files": 2, "bytes": 6,
    }  # fmt: skip
    return catalogue.Source.model_validate(base | other)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """run(row) -> results, with a mirror folder, in an empty working folder."""
    (tmp_path / "mirror").mkdir()
    (tmp_path / "out").mkdir()
    monkeypatch.setenv(mirror.VARIABLE, str(tmp_path / "mirror"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.chdir(tmp_path)

    def run(source: catalogue.Source, name: str = "mine", content: str = "") -> dict:
        monkeypatch.setattr(step.catalogue, "load", lambda: {"mine": source})
        settings = FetchSettings(source=name)
        key = key_of("fetch", settings, {}, {"content": content}, code_of("fetch", ()))
        return step.fetch(Job("fetch", name, key, settings, {}, tmp_path / "out", tmp_path / "resume"))

    return run


def left(tmp_path: Path) -> dict[str, bytes]:
    folder = tmp_path / "out" / "files"
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_from_the_mirror(tmp_path, made):
    packed(tmp_path / "mirror" / "a.tar.gz")
    assert made(row()) == {
        "source": "mine", "version": "1", "licence": "CC0",
        "content": CONTENT, "declared": True, "files": 2, "bytes": 6,
        "archives": {"a.tar.gz": "mirror"},
    }  # fmt: skip
    assert left(tmp_path) == FILES
    assert place.root_of(tmp_path / "out", "mine") == tmp_path / "out" / "files"


def test_by_download(tmp_path, made):
    packed(tmp_path / "served" / "a.tar.gz")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / "served")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/a.tar.gz"
        results = made(row(archives=[{"url": url, "file": "a.tar.gz"}]))
        server.shutdown()
    assert results["archives"] == {"a.tar.gz": "download"}
    assert left(tmp_path) == FILES
    assert not (tmp_path / "resume").exists()


def test_a_digest_that_differs_is_refused_with_both(tmp_path, made):
    other = FILES | {"a.wav": b"onf"}
    packed(tmp_path / "mirror" / "a.tar.gz", other)
    got = digest_of({name: hashlib.sha256(data).hexdigest() for name, data in other.items()})
    with pytest.raises(UserError) as caught:
        made(row())
    assert got in str(caught.value)
    assert CONTENT in str(caught.value)


def test_a_wrong_download_is_not_kept(tmp_path, made):
    packed(tmp_path / "resume" / "a.tar.gz", {"c.wav": b"x"})
    with pytest.raises(UserError, match="not the expected ones"):
        made(row())
    assert not (tmp_path / "resume" / "a.tar.gz").exists()


def test_without_a_declared_digest_the_record_and_a_warning_tell_it(tmp_path, made, caplog):
    packed(tmp_path / "mirror" / "a.tar.gz")
    results = made(row(content=None, files=None, bytes=None))
    assert (results["content"], results["declared"]) == (CONTENT, False)
    assert f"enter content: {CONTENT}, files: 2, bytes: 6 in workflow/sources.yaml" in caplog.text


def test_a_published_checksum_needs_no_warning(tmp_path, made, caplog):
    path = packed(tmp_path / "mirror" / "a.tar.gz")
    archive = {"url": "https://example.org/a.tar.gz", "file": "a.tar.gz"}
    pinned = archive | {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    assert not made(row(archives=[pinned], content=None, files=None, bytes=None))["declared"]
    assert not caplog.text


def test_the_mirrors_archive_must_be_the_published_one(tmp_path, made):
    path = packed(tmp_path / "mirror" / "a.tar.gz")
    archive = {"url": "https://example.org/a.tar.gz", "file": "a.tar.gz"}
    with pytest.raises(UserError, match="is not the published archive"):
        made(row(archives=[archive | {"sha256": "0" * 64}]))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert made(row(archives=[archive | {"sha256": sha256}]))["files"] == 2


def test_a_missing_mirror_folder_is_one_clear_message(tmp_path, made, monkeypatch):
    monkeypatch.setenv(mirror.VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(UserError, match=r"the mirror folder .* does not exist"):
        made(row())


def test_an_unknown_source_is_named(made):
    with pytest.raises(UserError, match="no row 'mime'; did you mean 'mine'"):
        made(row(), name="mime")


def test_what_may_not_be_fetched_is_asked_for(made):
    with pytest.raises(UserError) as caught:
        made(row(archives=[], manual="Ask its owner."))
    assert "audioprune index mine" in str(caught.value)
    assert "Ask its owner." in str(caught.value)


def test_a_folder_brought_by_hand_stays_where_it_is(tmp_path, made):
    (tmp_path / "mine" / "sub").mkdir(parents=True)
    for name, data in FILES.items():
        (tmp_path / "mine" / name).write_bytes(data)
    manifest.index(tmp_path / "mine", manifest.path_of("mine"))
    results = made(row(archives=[], manual="Ask its owner."), content=CONTENT)
    assert (results["content"], results["files"], results["bytes"]) == (CONTENT, 2, 6)
    assert left(tmp_path) == {}
    records.write_json(tmp_path / "out" / records.RECORD, {"results": results})
    assert place.root_of(tmp_path / "out", "mine") == tmp_path / "mine"
    (tmp_path / "mine").rename(tmp_path / "moved")
    with pytest.raises(UserError, match="does not exist: restore it"):
        place.root_of(tmp_path / "out", "mine")


def test_a_checkpoint_brought_by_hand_is_copied(tmp_path, made):
    (tmp_path / "pretrained.pth").write_bytes(b"weights")
    content = manifest.digest(manifest.index(tmp_path / "pretrained.pth", manifest.path_of("mine")))
    assert made(row(archives=[], manual="Ask its owner."), content=content)["files"] == 1
    assert left(tmp_path) == {"pretrained.pth": b"weights"}


def test_a_file_that_is_no_archive_is_kept_as_it_is(tmp_path, made):
    (tmp_path / "mirror" / "w.pth").write_bytes(b"weights")
    archive = {"url": "https://example.org/w.pth", "file": "w.pth"}
    assert made(row(archives=[archive], content=None, files=None, bytes=None))["bytes"] == 7
    assert left(tmp_path) == {"w.pth": b"weights"}


def test_real_archives_pass_the_declared_digests(esc10_files, fsdd_files):
    for name, files in (("esc10", esc10_files), ("fsdd", fsdd_files)):
        source = catalogue.load()[name]
        if files.real:
            assert step.check(name, source, files.root)["content"] == source.content
        else:
            with pytest.raises(UserError, match=source.content):
                step.check(name, source, files.root)
