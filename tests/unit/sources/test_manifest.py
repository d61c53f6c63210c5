from __future__ import annotations

import hashlib
import json
import os
import shutil

import pytest

from audioprune.errors import UserError
from audioprune.sources import manifest
from audioprune.sources.content import digest_of


@pytest.fixture
def data(tmp_path):
    root = tmp_path / "data"
    (root / "sub").mkdir(parents=True)
    (root / "a.wav").write_bytes(b"one")
    (root / "sub" / "b.wav").write_bytes(b"two")
    (root / "labels.csv").write_text("file,label\n")
    (root / ".hidden").write_text("not data")
    return root


@pytest.fixture
def hashed(monkeypatch) -> list[str]:
    """Names of the files that were hashed, in order."""
    seen, original = [], manifest.sha256_file

    def spy(path):
        seen.append(path.name)
        return original(path)

    monkeypatch.setattr(manifest, "sha256_file", spy)
    return seen


def test_index_lists_every_file(data, tmp_path):
    out = tmp_path / "manifests" / "mine.json"
    made = manifest.index(data, out)
    assert set(made.files) == {"a.wav", "sub/b.wav", "labels.csv"}
    assert made.files["a.wav"][:2] == (hashlib.sha256(b"one").hexdigest(), 3)
    assert made.size == 3 + 3 + 11
    assert manifest.load(out) == made
    assert [p.name for p in out.parent.iterdir()] == ["mine.json"]
    assert json.loads(out.read_text()) | {"files": 0} == {
        "version": 2, "root": str(data), "csv": "", "rows": "", "files": 0,
    }  # fmt: skip


def test_digest_is_the_content_digest(data, tmp_path):
    made = manifest.index(data, tmp_path / "m.json")
    assert manifest.digest(made) == digest_of({name: entry.sha256 for name, entry in made.files.items()})


def test_a_touch_changes_nothing_and_hashes_one_file(data, tmp_path, hashed):
    made = manifest.index(data, tmp_path / "m.json")
    assert sorted(hashed) == ["a.wav", "b.wav", "labels.csv"]
    hashed.clear()
    assert manifest.refresh(made) is made
    assert hashed == []
    os.utime(data / "a.wav", ns=(1, 1))
    fresh = manifest.refresh(made)
    assert hashed == ["a.wav"]
    assert manifest.digest(fresh) == manifest.digest(made)
    assert fresh.files["a.wav"].mtime_ns == 1


def test_one_byte_changes_the_digest(data, tmp_path, hashed):
    made = manifest.index(data, tmp_path / "m.json")
    hashed.clear()
    stat = (data / "a.wav").stat()
    (data / "new").write_bytes(b"onf")
    os.utime(data / "new", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    os.replace(data / "new", data / "a.wav")  # the same size and time, another inode
    assert manifest.digest(manifest.refresh(made)) != manifest.digest(made)
    assert hashed == ["a.wav"]


@pytest.mark.parametrize("change", ["added", "removed", "renamed"])
def test_files_that_come_and_go_count(data, tmp_path, change):
    made = manifest.index(data, tmp_path / "m.json")
    if change == "added":
        (data / "c.wav").write_bytes(b"one")
    elif change == "removed":
        (data / "a.wav").unlink()
    else:
        (data / "a.wav").rename(data / "z.wav")
    fresh = manifest.refresh(made)
    assert manifest.digest(fresh) != manifest.digest(made)
    assert set(fresh.files) == {p.relative_to(data).as_posix() for p in data.rglob("[a-z]*.*") if p.is_file()}


def test_a_copy_elsewhere_has_the_same_digest(data, tmp_path):
    made = manifest.index(data, tmp_path / "m.json")
    shutil.copytree(data, tmp_path / "copy")
    copy = manifest.index(tmp_path / "copy", tmp_path / "n.json")
    assert manifest.digest(copy) == manifest.digest(made)
    assert copy.root != made.root


def test_refresh_writes_what_changed(data, tmp_path, hashed):
    out = tmp_path / "m.json"
    made = manifest.index(data, out)
    before = out.read_bytes()
    manifest.refresh(made, out)
    assert out.read_bytes() == before
    os.utime(data / "a.wav", ns=(1, 1))
    fresh = manifest.refresh(manifest.load(out), out)
    assert manifest.load(out) == fresh
    hashed.clear()
    manifest.refresh(manifest.load(out), out)
    assert hashed == []


def test_index_again_hashes_only_what_changed(data, tmp_path, hashed):
    manifest.index(data, tmp_path / "m.json")
    (data / "c.wav").write_bytes(b"three")
    hashed.clear()
    again = manifest.index(data, tmp_path / "m.json")
    assert hashed == ["c.wav"]
    assert len(again.files) == 4


def test_an_interrupted_index_goes_on(data, tmp_path, hashed, monkeypatch):
    out = tmp_path / "m.json"
    monkeypatch.setattr(manifest, "SAVE_EVERY", -1.0)
    monkeypatch.setattr(manifest.os, "cpu_count", lambda: 1)
    original, calls = manifest.sha256_file, []

    def stops(path):
        calls.append(path)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(path)

    monkeypatch.setattr(manifest, "sha256_file", stops)
    with pytest.raises(KeyboardInterrupt):
        manifest.index(data, out)
    assert not out.exists()
    monkeypatch.setattr(manifest, "sha256_file", original)
    hashed.clear()
    assert len(manifest.index(data, out).files) == 3
    assert len(hashed) == 1
    assert not out.with_suffix(".partial").exists()


def test_a_single_file(tmp_path, hashed):
    checkpoint = tmp_path / "pretrained.pth"
    checkpoint.write_bytes(b"weights")
    (tmp_path / "other.pth").write_bytes(b"x")
    made = manifest.index(checkpoint, tmp_path / "out" / "m.json")
    assert list(made.files) == ["pretrained.pth"]
    assert made.root == checkpoint.resolve()
    assert manifest.refresh(made) is made
    assert hashed == ["pretrained.pth"]


def test_links_are_followed_once(data, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "far.wav").write_bytes(b"far")
    (data / "link.wav").symlink_to(tmp_path / "elsewhere" / "far.wav")
    (data / "loop").symlink_to(data)
    (data / "more").symlink_to(tmp_path / "elsewhere")
    (data / "broken.wav").symlink_to(tmp_path / "gone")
    made = manifest.index(data, tmp_path / "m.json")
    assert set(made.files) == {"a.wav", "sub/b.wav", "labels.csv", "link.wav", "more/far.wav"}


def test_a_folder_that_is_away_keeps_its_manifest(data, tmp_path):
    made = manifest.index(data, tmp_path / "m.json")
    shutil.rmtree(data)
    assert manifest.refresh(made, tmp_path / "m.json") is made


def test_nothing_to_index(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        manifest.index(tmp_path / "gone", tmp_path / "m.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no files"):
        manifest.index(tmp_path / "empty", tmp_path / "m.json")
    assert not (tmp_path / "m.json").exists()


OLD = '{"version": 1, "root": "/", "files": {}}'


@pytest.mark.parametrize("text", ["", "{", "[]", OLD, '{"version": 2}', '{"version": 3}'])
def test_a_broken_or_old_manifest_is_one_clear_message(tmp_path, text):
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(UserError, match=r"m.json is not a manifest of this version .* run `audioprune index m` again"):
        manifest.load(tmp_path / "m.json")


def test_index_replaces_a_broken_manifest(data, tmp_path):
    (tmp_path / "m.json").write_text("{")
    assert manifest.index(data, tmp_path / "m.json") == manifest.load(tmp_path / "m.json")


def test_hashes_of_another_place_are_not_taken_over(data, tmp_path, hashed):
    manifest.index(data, tmp_path / "m.json")
    (tmp_path / "other").mkdir()
    os.link(data / "a.wav", tmp_path / "other" / "a.wav")  # the same name, size, time and inode
    hashed.clear()
    manifest.index(tmp_path / "other", tmp_path / "m.json")
    assert hashed == ["a.wav"]


LISTED = manifest.Listed("labels.csv", "0123", ("a.wav", ".hidden"))


def test_of_a_list_only_its_files_and_words_count(data, tmp_path, hashed):
    out = tmp_path / "m.json"
    made = manifest.index(data, out, LISTED)
    assert sorted(made.files) == sorted(hashed) == [".hidden", "a.wav"]
    assert (made.csv, made.rows) == ("labels.csv", "0123")
    assert manifest.load(out) == made
    (data / "c.wav").write_bytes(b"unlisted")
    assert manifest.refresh(made, out, LISTED) is made
    other = manifest.refresh(made, out, LISTED._replace(rows="4567"))
    assert manifest.load(out) == other
    assert len({manifest.digest(m) for m in (made, other, manifest.index(data, tmp_path / "n.json"))}) == 3
    with pytest.raises(UserError, match=r"labels.csv lists files that are not there: 2, the first is gone.wav"):
        manifest.refresh(made, out, LISTED._replace(files=("a.wav", "gone.wav", "sub")))
    assert manifest.load(out) == other


def test_a_root_in_the_folder_that_we_are_in_is_kept_relative_to_it(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = manifest.index(data, tmp_path / "m.json")
    assert json.loads((tmp_path / "m.json").read_text())["root"] == "data"
    assert manifest.load(tmp_path / "m.json") == made


def test_what_is_not_here(data, tmp_path):
    (tmp_path / "empty").mkdir()
    assert [manifest.away(p) for p in (data, data / "a.wav", tmp_path / "empty", tmp_path / "gone")] == [
        False, False, True, True,
    ]  # fmt: skip


def test_where_manifests_lie():
    assert manifest.path_of("as20k").as_posix() == "data/manifests/as20k.json"
