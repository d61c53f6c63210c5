"""Time classifiers with random weights on clips as long as they are, in every batching: see benchmarks/README.md.

python -m benchmarks.lengths --out lengths.csv fsdd-digits=FOLDER fsdd-strings=FOLDER [AUDIO-CELL ...]

Each set of clips is a dataset of the project with the folder of its files, or a decoded audio cell.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import torch

from audioprune import records, registry
from audioprune.audio.bad_clip import BadClip
from audioprune.audio.store import WaveformStore
from audioprune.cells import provenance
from audioprune.errors import UserError
from audioprune.facts.mel import MEL_BINS
from audioprune.facts.tokens import BLOCKS, PATCH
from audioprune.profiling.batchings import ARM
from audioprune.settings.costs import Batching, PaceSettings
from audioprune.sources.of_cell import facts_of
from audioprune.steps._timed import timed, where
from audioprune.steps.audio import decoded
from audioprune.tokens.trace import sample
from benchmarks._parts.lengths import MEASURED, timings
from benchmarks._parts.rows import Table

COLUMNS = (
    "dataset", "backbone", "frames", "clips", "audio_s", "device", "threads", "load", "precision", "runs", *ARM,
    "per_batch", "valid", "computed", "waste", "mac_ratio",
    *(f"{name}{part}" for name in MEASURED for part in ("", "_low", "_high")),
)  # fmt: skip


class Clips(NamedTuple):
    dataset: str
    frames: int  # of a model for it
    waves: list[torch.Tensor]  # (L,)


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sources", nargs="+", metavar="CLIPS", help="DATASET=FOLDER, or a decoded audio cell")
    parser.add_argument("--out", type=Path, required=True, help="CSV file")
    parser.add_argument("--backbones", nargs="+", default=["audiomae-tiny", "ast-tiny"])
    parser.add_argument("--policy", default="topk", help="pruning method below keep-rate 1")
    parser.add_argument("--keep-rates", nargs="+", type=float, default=[1.0, 0.5])
    parser.add_argument(
        "--batchings", nargs="+", choices=get_args(Batching), default=["single", "padded", "longest", "bucketed"]
    )
    parser.add_argument("--clips", type=int, default=300, help="of each set: a seeded sample of its test clips")
    parser.add_argument("--frames", type=int, help="of the models, instead of the dataset's")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--tokens-per-batch", type=int, default=4096)
    parser.add_argument("--warmup", type=int, default=2, help="rounds")
    parser.add_argument("--runs", type=int, default=9, help="rounds that count")
    parser.add_argument("--precision", default="fp32")
    return parser.parse_args(argv)


def clips_of(source: str, count: int) -> Clips:
    """A sample of the test clips, or of all where none is for tests."""
    name, _, folder = source.rpartition("=")
    if not name:
        cell = Path(folder)
        store = WaveformStore.open(cell)
        tests = (store.clips["split"] == "test").to_numpy()
        rows = tests.nonzero()[0] if tests.any() else np.arange(len(store.clips))
        waves = [torch.as_tensor(store.waveform(row)) for row in sample(rows, count, 0)]
        return Clips(records.read(cell)["settings"]["dataset"], facts_of(cell).frames, waves)
    facts = registry.dataset(name)
    every = registry.get("datasets", name).clips(Path(folder), {})
    own = [clip for clip in every if clip.split == "test"] or every
    chosen = [own[i] for i in sample(np.arange(len(own)), count, 0)]
    waves = []
    for row, wave in decoded(chosen, Path(folder), facts.task):
        if isinstance(wave, BadClip):
            raise UserError(f"{name}: {row['clip']}: {wave}")
        waves.append(torch.from_numpy(wave))
    return Clips(name, facts.frames, waves)


def main(argv: list[str] | None = None) -> int:
    given, device = arguments(argv), where()
    given.out.unlink(missing_ok=True)
    table = Table(given.out, COLUMNS)
    for clips in [clips_of(source, given.clips) for source in given.sources]:
        for backbone in given.backbones:
            own = PaceSettings(
                backbone=backbone, dataset=clips.dataset, policies=(given.policy,), keep_rates=tuple(given.keep_rates),
                blocks=BLOCKS, batchings=tuple(given.batchings), batch_size=given.batch_size, bucket=MEL_BINS // PATCH,
                tokens_per_batch=given.tokens_per_batch, warmup=given.warmup, runs=given.runs,
                precision=given.precision, device=provenance.device(),
            )  # fmt: skip
            frames, seconds = given.frames or clips.frames, sum(map(len, clips.waves)) / 16000
            threads = 1 if registry.backbone(backbone).size.small else torch.get_num_threads()
            with timed("this", own.device, threads=threads) as about:
                found = timings(own, clips.waves, frames, device)
            for row in found:
                table.add(
                    dataset=clips.dataset, backbone=backbone, frames=frames, clips=len(clips.waves), audio_s=seconds,
                    device=own.device, threads=threads, load=about["load"]["before"], precision=own.precision,
                    runs=own.runs, **row,
                )  # fmt: skip
                print(
                    f"{clips.dataset}, {backbone}: {row['batching']} {row['policy']} {row['keep_rate']:g}: "
                    f"{row['clips_per_s']:.1f} clips/s, {row['speed_up']:.2f} x, {row['mac_ratio']:.2f} x by MACs",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        sys.exit(f"lengths.py: {error}")
