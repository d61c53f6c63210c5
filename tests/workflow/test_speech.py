"""A study of speech from addresses to its report: archives and weights are downloaded, own sentences come by a CSV.

What is served here has the layout of the real archives, the sentences are noise and the weights random: nothing that is
heard means anything, and every part that brings it about is the real one.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
import whisper
import yaml

from .conftest import Project

STUDY = {
    "title": "Noise heard by random weights",
    "tier": "extension",
    "recognitions": [
        {
            "recognisers": ["whisper-tiny-en"],
            "datasets": ["librispeech-clean", "mine"],
            "policies": ["stride", "topk"],
            "keep_rates": [0.5],
            "blocks": [[1]],
            "within": ["window"],
        }
    ],
    "pace": [{"datasets": ["mine"], "policies": ["topk"], "batch_size": 2, "clips": 2, "warmup": 1, "runs": 2}],
    "traces": None,
    "throughput": None,
}
OWN = {"folder": "mine", "csv": "said.csv", "task": "transcription", "classes": [], "frames": 320}
DRAWN = ("wer", "pace")
SMALL = '"tiny": (32, 2, 4, True)'  # in the place of the published size


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def served(tmp_path_factory) -> Iterator[tuple[Path, str]]:
    """(a folder, its address)."""
    folder = tmp_path_factory.mktemp("served")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def noise(seconds: float, seed: int) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(round(16000 * seconds))


def librispeech(path: Path) -> None:
    """Three sentences of two readers, and one that no window holds."""
    lengths = {"61-70968-0000": 1.0, "61-70968-0001": 2.0, "121-121726-0000": 1.5, "121-121726-0001": 30.5}
    with tarfile.open(path, "w:gz") as archive:

        def add(name: str, data: bytes) -> None:
            entry = tarfile.TarInfo(f"LibriSpeech/test-clean/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))

        for seed, (name, seconds) in enumerate(lengths.items()):
            sound = io.BytesIO()
            soundfile.write(sound, noise(seconds, seed), 16000, format="FLAC")
            add(f"{'/'.join(name.split('-')[:2])}/{name}.flac", sound.getvalue())
        for chapter in ("61-70968", "121-121726"):
            lines = "".join(f"{name} HE BEGAN A CONFUSED COMPLAINT\n" for name in lengths if name.startswith(chapter))
            add(f"{chapter.replace('-', '/')}/{chapter}.trans.txt", lines.encode())


def weights(path: Path) -> None:
    """Of a decoder that can say no more than 24 units: random weights find no end."""
    torch.manual_seed(0)
    dims = whisper.ModelDimensions(80, 1500, 32, 2, 4, 51864, 24, 32, 2, 4)
    state = {name: tensor.half() for name, tensor in whisper.Whisper(dims).state_dict().items()}
    torch.save({"dims": vars(dims), "model_state_dict": state}, path)


def talk(project: Project, folder: Path, address: str) -> None:
    """The project with a study of speech, whose rows of sources lead to what is served."""
    librispeech(folder / "test-clean.tar.gz")
    weights(folder / "tiny.en.pt")
    sources = yaml.safe_load((project.root / "workflow/sources.yaml").read_text())
    for name, file in (("librispeech-clean", "test-clean.tar.gz"), ("checkpoint-whisper-tiny-en", "tiny.en.pt")):
        data = (folder / file).read_bytes()
        (archive,) = sources[name]["archives"]
        archive |= {"url": f"{address}/{file}", "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    (project.root / "workflow/sources.yaml").write_text(yaml.safe_dump(sources))
    project.edit("src/audioprune/facts/recogniser.py", '"tiny": (384, 6, 4, True)', SMALL)
    own = project.root / "mine"
    own.mkdir()
    rows = ["file,transcript,split,speaker"]
    for i in range(3):
        soundfile.write(own / f"{i}.wav", noise(1 + i / 2, 10 + i), 22050)
        rows.append(f"{i}.wav,Good morning number {i},test,me{i}")
    (own / "said.csv").write_text("\n".join(rows) + "\n")
    text = {"datasets": {"mine": OWN}, "recipes": {}, "studies": {"talk": STUDY}}
    (project.root / "config.yaml").write_text(yaml.safe_dump(text, sort_keys=False))


def test_from_addresses_and_a_csv_to_a_report(project, served):
    folder, address = served
    talk(project, folder, address)

    done = project.run("audioprune", "doctor", "talk")
    assert done.returncode == 1
    assert f"will be downloaded, about 331 MiB: {address}/test-clean.tar.gz" in done.stdout
    assert f"{address}/tiny.en.pt" in done.stdout
    assert "MISSING  mine: " in done.stdout
    assert "audioprune index mine" in done.stdout
    done = project.run("audioprune", "index", "mine")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "reads the columns file, split, speaker, transcript" in done.stdout
    assert project.run("audioprune", "doctor", "talk").returncode == 0
    planned = project.jobs("talk")
    assert {kind: len(planned.get(kind, [])) for kind in ("fetch", "audio", "transcribe", "pace", "features")} == {
        "fetch": 2, "audio": 2, "transcribe": 6, "pace": 1, "features": 0,
    }  # fmt: skip

    done = project.run("snakemake", "--cores", "2", "results/talk/report.html", seconds=1200)
    assert done.returncode == 0, done.stdout + done.stderr
    heard = {path.parts[-4]: pd.read_parquet(path) for path in project.cells("transcribe/*/*/none/*/*.parquet")}
    assert heard["librispeech-clean"]["clip"].tolist() == ["121-121726-0000", "61-70968-0000", "61-70968-0001"]
    assert heard["librispeech-clean"]["words"].tolist() == [5, 5, 5]
    assert heard["mine"]["words"].tolist() == [4, 4, 4]
    assert heard["mine"]["speaker"].tolist() == ["me0", "me1", "me2"]
    results = project.root / "results/talk"
    rows = {
        name: [row["cells"] for row in json.loads((results / f"{name}.json").read_text())["rows"]] for name in DRAWN
    }
    assert {cells["dataset"] for cells in rows["wer"]} == {"librispeech-clean", "mine"}
    assert [(cells["batching"], cells["policy"]) for cells in rows["pace"]] == [
        (batching, policy) for batching in ("single", "padded") for policy in ("none", "topk")
    ]
    assert (results / "report.pdf").is_file()
    assert "nothing to do" in project.run("audioprune", "plan", "talk").stdout
