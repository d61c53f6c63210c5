"""A disk that fills up, for real: one message with path and free space, nothing half-written, the same bits later."""

from __future__ import annotations

import http.server
import io
import os
import re
import shutil
import signal
import tarfile
import threading
from functools import partial
from pathlib import Path

import pytest

from audioprune import disk as told
from audioprune import records
from audioprune.errors import UserError
from audioprune.locks.main import hold
from audioprune.settings.data import FetchSettings
from audioprune.sources import catalogue
from audioprune.sources.download import download
from audioprune.steps import fetch as step
from audioprune.steps._run import Job

from ._chain import NO_POINTS, POINTS, ended, indexed, said

MESSAGE = re.compile(r"no space is left for (\S+): (\d+\.\d) MiB of (\d+) MiB are free there.* make space", re.DOTALL)


def complaint(text: str) -> tuple[str, float, int]:
    """(path, MiB free, MiB in all) of the one message in `text`."""
    ((path, free, total),) = MESSAGE.findall(text)
    assert "Traceback" not in text
    return path, float(free), int(total)


def test_no_room_for_the_next_resume_point(undisturbed, chain, disk):
    resume = disk(chain.root / "results" / "resume", "256m")
    killed = chain.start("finetune", POINTS)
    said(killed, "epoch 1 step 2")
    os.kill(killed.pid, signal.SIGKILL)
    ended(killed, -signal.SIGKILL)
    point = chain.point()
    size, before = point.stat().st_size, chain.left()
    bits = point.read_bytes()
    for half in point.parent.glob(".*"):
        half.unlink()
    disk(resume, f"{size * 3 // 2048}k")  # of another point there is room for a half
    _, err = ended(chain.start("finetune", POINTS), 1)
    path, free, total = complaint(err)
    assert path == str(point.relative_to(chain.root))
    assert free < 1
    assert total == round(size * 1.5 / 2**20)
    assert point.read_bytes() == bits
    assert [file.name for file in point.parent.iterdir()] == ["point.pt"]
    assert chain.left() <= before
    disk(resume, "256m")
    _, err = ended(chain.start("finetune", NO_POINTS))
    assert "resuming from epoch 1, step " in err
    assert chain.files("finetune") == undisturbed.files("finetune")


@pytest.mark.parametrize("kind", ["audio", "features", "finetune"])
def test_no_room_for_a_cell(undisturbed, chain, disk, kind):
    if kind == "audio":
        indexed(chain.root)
    shutil.rmtree(chain.folder(kind).parent, ignore_errors=True)
    small = disk(chain.root / "results" / "cells" / kind, "128k")
    before = chain.left()
    _, err = ended(chain.start(kind), 1)
    path, free, total = complaint(err)
    assert path.startswith(f"results/cells/{kind}/tones/.{chain.cells[kind].key}.")
    assert free < 0.13
    assert total == 0  # MiB of 128 KiB
    assert complaint(chain.log(kind)) == (path, free, total)
    assert chain.left() == before
    disk(small, "64m")
    chain.make(kind)
    assert chain.files(kind) == undisturbed.files(kind)


def test_no_room_for_a_lease_a_log_and_the_main_lock(chain, disk):
    logs = disk(chain.root / "results" / "logs", "16k")
    chain.job("finetune")  # written when there still was room
    with pytest.raises(OSError, match="No space"), open(logs / "ballast", "wb") as file:
        file.write(bytes(1 << 20))
    _, err = ended(chain.start("finetune"), 1)
    assert complaint(err)[0] == str(chain.cells["finetune"].dir)
    assert "Logging error" not in err
    assert not list(logs.glob("leases/*"))
    with pytest.raises(told.FullDisk, match=r"no space is left for \S+/main\.lock"):
        hold(logs / "main.lock").close()


def test_atomic_files_are_whole_or_not_there(tmp_path, disk):
    small = disk(tmp_path / "small", "64k")
    records.write_text(small / "a.txt", "old")
    with pytest.raises(told.FullDisk):
        records.write_text(small / "a.txt", "new" * 100_000)
    assert [path.name for path in small.iterdir()] == ["a.txt"]
    assert (small / "a.txt").read_text() == "old"


def test_no_room_to_unpack_keeps_what_was_downloaded(tmp_path, disk, monkeypatch):
    archive = {"url": "http://127.0.0.1:9/a.tar.gz", "file": "a.tar.gz"}
    words = ("title", "version", "home", "licence", "credit")
    row = dict.fromkeys(words, "x") | {"mib": 1, "archives": [archive], "keep": ["*.wav"], "strip": 0}
    row |= {"home": "https://example.org", "content": "0" * 64, "files": 1, "bytes": 1 << 20}
    monkeypatch.setattr(step.catalogue, "load", lambda: {"mine": catalogue.Source.model_validate(row)})
    monkeypatch.chdir(tmp_path)
    kept = tmp_path / "resume" / "a.tar.gz"
    kept.parent.mkdir()
    with tarfile.open(kept, "w:gz") as t:
        info = tarfile.TarInfo("a.wav")
        info.size = 1 << 20
        t.addfile(info, io.BytesIO(bytes(1 << 20)))
    small = disk(tmp_path / "out", "128k")
    job = Job("fetch", "mine", "k", FetchSettings(source="mine"), {}, small, tmp_path / "resume")
    with pytest.raises(told.FullDisk, match=r"no space is left for \S+/files/a\.wav"):
        step.fetch(job)
    assert kept.is_file()


def test_no_room_for_a_download_which_then_goes_on(tmp_path, disk):
    (tmp_path / "served").mkdir()
    data = os.urandom(1 << 20)
    (tmp_path / "served" / "a.bin").write_bytes(data)
    small = disk(tmp_path / "small", "512k")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / "served")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/a.bin"
        with pytest.raises(told.FullDisk, match=r"no space is left for \S+/a\.bin\.part"):
            download(url, small / "a.bin")
        assert not (small / "a.bin").exists()
        disk(small, "8m")
        assert download(url, small / "a.bin").read_bytes() == data
        server.shutdown()


def test_errors_of_another_kind_stay_what_they_are():
    with pytest.raises(FileNotFoundError), told.one_message_if_full(Path("x")):
        Path("/nowhere/x").read_text()
    said = "a.pth is truncated or damaged (PytorchStreamReader failed: unexpected pos 5 vs 3)"
    with pytest.raises(UserError, match="is truncated") as caught, told.one_message_if_full(Path("x")):
        raise UserError(said)
    assert type(caught.value) is UserError
