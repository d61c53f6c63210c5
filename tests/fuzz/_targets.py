"""What is fuzzed: seeds as files that are good, and what reads a file and may say one kind of error of it only."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import soundfile
import torch
import yaml
from safetensors.torch import save_file

from audioprune.audio import bad_clip, decode
from audioprune.config import file as config_file
from audioprune.errors import UserError
from audioprune.models import weights
from audioprune.planning import checks, user_csv
from audioprune.settings.data import UserFolder
from audioprune.sources import shapes
from tests.fuzz._mutate import mutated, rewritten

ROOT = Path(__file__).parents[2]
FILES = tuple(f"c{i}.wav" for i in range(4))
LABELS = (
    "file,label,split,recording\nc0.wav,a,train,r0\nc1.wav,b,train,r1\nc2.wav,a,test,r2\nc3.wav,b,test,\n",
    'label,file\n"a; b",c0.wav\n"a",c1.wav\nb,"c2.wav"\n\n , \nb,c3.wav\n',
    "file,label,fold\nc0.wav,a,1\nc1.wav,b,1.0\n.\\c2.wav,a,2\nc3.wav,b,2\n",
    "file;label\nc0.wav;a\n",
)


@dataclass(frozen=True)
class Target:
    name: str  # of the file that is written
    seeds: Callable[[Path], list[bytes]]  # given a scratch folder
    read: Callable[[Path], object]
    errors: tuple[type[Exception], ...]  # what may be said of a file
    change: Callable[[list[bytes], Random], bytes] = mutated


def sounds(folder: Path) -> list[bytes]:
    """A fifth of a second in every format and encoding that libsndfile writes here."""
    wave = 0.3 * np.sin(0.3 * np.arange(3200)) + 0.01 * np.random.default_rng(0).standard_normal(3200)
    found = []
    for form in sorted(soundfile.available_formats()):
        for subtype in sorted(soundfile.available_subtypes(form)):
            try:
                soundfile.write(folder / "seed", wave, 16000, format=form, subtype=subtype)
            except (soundfile.SoundFileError, ValueError):
                continue
            found.append((folder / "seed").read_bytes())
    fixtures = sorted((ROOT / "tests" / "fixtures" / "audio").iterdir())
    return found + [path.read_bytes() for path in fixtures]


def tables(folder: Path) -> list[bytes]:
    for name in FILES:
        (folder / name).touch()
    return [text.encode() for text in LABELS]


def read_table(path: Path) -> None:
    """As one of one label, of several, and of folds."""
    for more in ({}, {"task": "multilabel"}, {"folds": 2}):
        base = {"folder": str(path.parent), "csv": path.name, "task": "keyword", "classes": ("a", "b"), "frames": 128}
        try:
            user_csv.read(UserFolder.model_validate(base | more))
        except UserError as error:
            str(error).encode()


def configurations(folder: Path) -> list[bytes]:
    """The repository's own with its smallest study alone, and a dataset of one's own."""
    whole = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    own = {"folder": "x", "csv": "y.csv", "task": "keyword", "classes": ["a", "b"], "frames": 128}
    small = whole | {"studies": {"demo": whole["studies"]["demo"]}, "datasets": {"mine": own}}
    return [yaml.safe_dump(small, sort_keys=False).encode()]


def read_configuration(path: Path) -> None:
    checks.check(config_file.load(path))


def rewritten_yaml(seeds: list[bytes], rng: Random) -> bytes:
    return yaml.safe_dump(rewritten(yaml.safe_load(seeds[0]), rng), sort_keys=False).encode()


def _weights() -> dict:
    draw = torch.Generator().manual_seed(0)
    shapes = {"patch_embed.proj.weight": (8, 1, 16, 16), "blocks.0.mlp.fc1.weight": (32, 8), "cls_token": (1, 1, 8)}
    return {name: torch.randn(shape, generator=draw) for name, shape in shapes.items()}


def pickled(folder: Path) -> list[bytes]:
    """As torch.save has written for years, the older form, and weights beside other things."""
    found = []
    for held, zipped in ((_weights(), True), (_weights(), False), ({"model": _weights(), "epoch": 3}, True)):
        torch.save(held, folder / "seed", _use_new_zipfile_serialization=zipped)
        found.append((folder / "seed").read_bytes())
    return found


def plain(folder: Path) -> list[bytes]:
    save_file(_weights(), folder / "seed.safetensors", metadata={"num_heads": "1"})
    return [(folder / "seed.safetensors").read_bytes()]


def read_weights(path: Path) -> None:
    """The two readers, one of them without torch, find the same tensors where both find any."""
    found = []
    for read in (lambda: shapes.shapes_of(path), lambda: weights.read_checkpoint(path)[0]):
        try:
            found.append({name: tuple(getattr(one, "shape", one)) for name, one in read().items()})
        except UserError as error:
            str(error).encode()
    assert len(found) < 2 or found[0] == found[1], found


def hang(path: Path) -> None:
    while True:
        pass


def sleep(path: Path) -> None:
    time.sleep(3600)


def eat(path: Path) -> None:
    np.ones(1 << 28)  # 2 GiB


def litter(path: Path) -> None:
    path.with_name("left").touch()


def stray(path: Path) -> None:
    (path.parent.parent / "left").touch()


def undo(path: Path) -> None:
    with contextlib.suppress(OSError):
        (path.parent / "never there").rmdir()


def start(path: Path) -> None:
    subprocess.run(["true"], check=True)


def mutter(path: Path) -> None:
    with contextlib.suppress(ZeroDivisionError):
        try:
            1 / 0  # noqa: B018
        except ZeroDivisionError:
            traceback.print_exc()


def die(path: Path) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def blunder(path: Path) -> None:
    raise KeyError("not an answer")


FAULTS = {  # that the fuzzer must see
    read.__name__: Target("a", lambda folder: [b"abc"], read, ())
    for read in (hang, sleep, eat, litter, stray, undo, start, mutter, die, blunder)
}
TARGETS = FAULTS | {
    "audio": Target("a.wav", sounds, decode.sound, (bad_clip.BadClip,)),
    "checkpoint": Target("c.pth", pickled, read_weights, ()),
    "safetensors": Target("c.safetensors", plain, read_weights, ()),
    "labels": Target("labels.csv", tables, read_table, ()),
    "config": Target("config.yaml", configurations, read_configuration, (UserError,), rewritten_yaml),
}
