"""Extraction of good archives, and refusal of malicious ones."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from audioprune.errors import UserError
from audioprune.sources.extract import extract

GOOD = {"top/a.wav": b"one", "top/sub/b.wav": b"two two", "top/README.md": b"read me"}


def tar(path: Path, files: dict[str, bytes], *special: tarfile.TarInfo, mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as t:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
        for info in special:
            t.addfile(info)
    return path


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in files.items():
            z.writestr(name, data)
    return path


def made(tmp_path: Path, suffix: str, files: dict[str, bytes]) -> Path:
    path = tmp_path / f"archive{suffix}"
    return zipped(path, files) if suffix == ".zip" else tar(path, files, mode="w" if suffix == ".tar" else "w:gz")


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("suffix", [".tar.gz", ".tgz", ".tar", ".zip"])
def test_everything(tmp_path, suffix):
    assert extract(made(tmp_path, suffix, GOOD), tmp_path / "out") == 3
    assert tree(tmp_path / "out") == GOOD


@pytest.mark.parametrize("suffix", [".tar.gz", ".zip"])
def test_strip_and_keep(tmp_path, suffix):
    archive = made(tmp_path, suffix, GOOD | {"top/code.py": b"x", "outside": b"y"})
    assert extract(archive, tmp_path / "out", strip=1, keep=("*.wav", "README.md")) == 3
    assert tree(tmp_path / "out") == {"a.wav": b"one", "sub/b.wav": b"two two", "README.md": b"read me"}


def test_leading_dot_is_no_folder(tmp_path):
    extract(tar(tmp_path / "a.tar.gz", {"./yes/1.wav": b"1"}), tmp_path / "out", keep=("*/*.wav",))
    assert tree(tmp_path / "out") == {"yes/1.wav": b"1"}


@pytest.mark.parametrize("suffix", [".tar.gz", ".zip"])
@pytest.mark.parametrize(
    "name", ["../evil", "top/../../evil", "top/sub/../../../evil", "/evil", "C:/evil", "top\\..\\evil"]
)
def test_paths_that_lead_out_are_refused(tmp_path, suffix, name):
    archive = made(tmp_path, suffix, {"top/a.wav": b"one", name: b"evil"})
    with pytest.raises(UserError, match="is refused"):
        extract(archive, tmp_path / "deep" / "er" / "out", strip=0)
    assert not list(tmp_path.rglob("*evil*"))
    assert set(tree(tmp_path / "deep")) <= {"er/out/top/a.wav"}


@pytest.mark.parametrize(
    ("kind", "link"),
    [
        (tarfile.SYMTYPE, "/etc/passwd"),
        (tarfile.SYMTYPE, "a.wav"),
        (tarfile.LNKTYPE, "top/a.wav"),
        (tarfile.CHRTYPE, ""),
        (tarfile.BLKTYPE, ""),
        (tarfile.FIFOTYPE, ""),
    ],
)
@pytest.mark.parametrize("keep", [("*",), ("*.wav",)])
def test_links_and_devices_are_refused_kept_or_not(tmp_path, kind, link, keep):
    info = tarfile.TarInfo("top/special")
    info.type, info.linkname = kind, link
    with pytest.raises(UserError, match="'top/special': it is a link or a device"):
        extract(tar(tmp_path / "a.tar.gz", GOOD, info), tmp_path / "out", keep=keep)
    assert not os.path.lexists(tmp_path / "out" / "top" / "special")


def test_writing_through_a_link_is_impossible(tmp_path):
    link = tarfile.TarInfo("top")
    link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "outside")
    (tmp_path / "outside").mkdir()
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as t:
        t.addfile(link)
        info = tarfile.TarInfo("top/evil")
        info.size = 1
        t.addfile(info, io.BytesIO(b"x"))
    with pytest.raises(UserError, match="link"):
        extract(path, tmp_path / "out")
    assert not list((tmp_path / "outside").iterdir())


def test_zip_links_and_encryption_are_refused(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as z:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        z.writestr(info, "/etc/passwd")
    with pytest.raises(UserError, match="link or a device"):
        extract(path, tmp_path / "out")
    data = bytearray(zipped(tmp_path / "b.zip", {"a.wav": b"one"}).read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1  # the central directory's flag for encryption
    (tmp_path / "b.zip").write_bytes(data)
    with pytest.raises(UserError, match="encrypted"):
        extract(tmp_path / "b.zip", tmp_path / "out")


@pytest.mark.parametrize("suffix", [".tar.gz", ".zip"])
def test_absurd_sizes_are_refused(tmp_path, suffix):
    archive = made(tmp_path, suffix, {"a": bytes(1000), "b": bytes(1001)})
    with pytest.raises(UserError, match="'b': its files are larger than the 2000 bytes"):
        extract(archive, tmp_path / "out", limit=2000)
    assert extract(archive, tmp_path / "other", limit=2001) == 2


def test_a_bomb_is_refused_without_a_declared_size(tmp_path):
    archive = made(tmp_path, ".zip", {"bomb": bytes(90 << 20)})
    with pytest.raises(UserError, match="larger than"):
        extract(archive, tmp_path / "out")
    assert tree(tmp_path / "out") == {}


def test_one_name_twice_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"'top/A\.wav': two members have this name"):
        extract(tar(tmp_path / "a.tar", {"top/a.wav": b"1", "top/A.wav": b"2"}, mode="w"), tmp_path / "out")


def test_a_file_that_is_also_a_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="a file and a folder"):
        extract(tar(tmp_path / "a.tar", {"top": b"1", "top/a": b"2"}, mode="w"), tmp_path / "out")


def test_nothing_to_keep_is_an_error(tmp_path):
    with pytest.raises(UserError, match=r"holds no file like \*.ogg"):
        extract(made(tmp_path, ".tar.gz", GOOD), tmp_path / "out", keep=("*.ogg",))


@pytest.mark.parametrize("suffix", [".tar.gz", ".tar", ".zip"])
@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty", "flipped"])
def test_damage_is_one_clear_message(tmp_path, suffix, damage):
    files = {f"{i}.wav": os.urandom(5000) for i in range(5)}
    archive = made(tmp_path, suffix, files)
    data = bytearray(archive.read_bytes())
    if damage == "flipped":
        if suffix == ".tar":  # a tar has checksums for its headers only
            data[0] ^= 0xFF
        else:
            data[len(data) // 2] ^= 0xFF
    archive.write_bytes({"truncated": data[: len(data) // 2], "garbage": b"x" * 3000, "empty": b""}.get(damage, data))
    with pytest.raises(UserError, match=r"is damaged or not an archive \(.+\): delete it"):
        extract(archive, tmp_path / "out")
