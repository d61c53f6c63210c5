"""A recogniser with a CTC head learns from transcripts.

Letters: B clips, N columns of the longest, V units. The loss is CTC's over all columns, by the length of the transcript
and then over the batch, plus a share of the auxiliary head's; in float32, and on the processor also where the model is
on a GPU, whose backward pass is not deterministic. Batches are of clips of like length: clips in random order, in pools
of some batches that are sorted by length. All is drawn by (seed, epoch), so a run that is resumed gives the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from audioprune.audio.augment import specaug
from audioprune.audio.store import WaveformStore
from audioprune.errors import UserError
from audioprune.facts.units import Units, needed
from audioprune.models.ctc import BLANK, Listener
from audioprune.settings.speech import RecogniseSettings
from audioprune.settings.training import Recipe
from audioprune.training.batches import generator, order_of, steps_of
from audioprune.training.loop import train
from audioprune.training.optim import build_optimizer
from audioprune.training.outcome import write_outcome
from audioprune.training.resume import ResumePoint

CLIP_NORM = 1.0  # of the gradient
POOL = 8  # batches in which clips are sorted by length
SET_ASIDE = 0.01  # share of the training clips that may be too short for their transcript
AT_ONCE = 32  # clips that are heard at once
HELD = 2**28  # numbers of clips as they are read that are kept in memory


class Clips:
    """Clips of a store as a model reads them, kept as far as memory allows."""

    def __init__(self, model: Listener, store: WaveformStore, device: torch.device):
        self.model, self.store, self.device = model, store, device
        self._held: dict[int, Tensor] = {}
        self._numbers = 0

    def __call__(self, row: int) -> Tensor:
        if row in self._held:
            return self._held[row].to(self.device)
        read = self.model.read(torch.from_numpy(self.store.waveform(row)).to(self.device))
        if self._numbers + read.numel() <= HELD:
            self._held[row] = read.cpu()
            self._numbers += read.numel()
        return read


def sorted_order(lengths: np.ndarray, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """The clips of an epoch in batches of like length: each clip once, the batches of a pool in random order."""
    batches, found = order_of(len(lengths), batch_size, seed, epoch), []
    draw = generator(seed, "pools", epoch)
    for start in range(0, len(batches), POOL):
        pool = batches[start : start + POOL]
        clips = np.concatenate(pool)
        clips = clips[np.argsort(lengths[clips], kind="stable")]
        cut = np.split(clips, np.cumsum([len(batch) for batch in pool])[:-1])
        found += [cut[i] for i in torch.randperm(len(cut), generator=draw).tolist()]
    return found


def alignable(columns: Sequence[int], wanted: Sequence[list[int]], names: Sequence[str], what: str) -> np.ndarray:
    """Which clips have columns enough for their transcript, by place; UserError where more than a few have not."""
    short = [i for i, units in enumerate(wanted) if columns[i] < needed(units)]
    if len(short) > SET_ASIDE * len(wanted):
        worst = sorted(short, key=lambda i: columns[i] - needed(wanted[i]))[:3]
        said = ", ".join(f"{names[i]} ({columns[i]} columns, needs {needed(wanted[i])})" for i in worst)
        raise UserError(f"{len(short)} of {len(wanted)} clips are too short for their transcript with {what}: {said}")
    return np.setdiff1d(np.arange(len(wanted)), short)


def loss_of_columns(logits: Tensor, columns: Sequence[int], wanted: Sequence[list[int]]) -> Tensor:
    """CTC's loss of logits (B, N, V), of which each clip has its first `columns`, for transcripts as units."""
    said = logits.float().log_softmax(-1).transpose(0, 1).cpu()  # (N, B, V)
    targets = torch.tensor([unit for units in wanted for unit in units])
    lengths = torch.tensor([len(units) for units in wanted])
    return F.ctc_loss(said, targets, torch.tensor(columns), lengths, blank=BLANK, reduction="mean")


def masked(clip: Tensor, settings: RecogniseSettings, draw: torch.Generator) -> Tensor:
    """A clip's log-mel (T, 128) with a band and a span of it at its own mean, where SpecAug is on."""
    if not (settings.specaug_freq or settings.specaug_time):
        return clip
    mean = clip.mean()
    return specaug((clip - mean)[None], settings.specaug_freq, settings.specaug_time, draw)[0] + mean


@torch.inference_mode()
def heard(model: Listener, clips: Clips, rows: Sequence[int], units: Units) -> list[str]:
    """Greedy transcripts of some rows, in their order. The model's mode is put back."""
    training = model.training
    model.eval()
    found = []
    for start in range(0, len(rows), AT_ONCE):
        made = model([clips(int(row)) for row in rows[start : start + AT_ONCE]])
        best = made.logits.argmax(-1).tolist()
        found += [units.transcript(one[:n]) for one, n in zip(best, made.columns, strict=True)]
    model.train(training)
    return found


def teach(
    settings: RecogniseSettings,
    model: Listener,
    *,
    recipe: Recipe,
    units: Units,
    store: WaveformStore,
    train_rows: np.ndarray,
    val_rows: np.ndarray,
    out: Path,
    resume: Path,
    key: str,
    device: torch.device,
    name: str,
    save_every_s: float = 60,
) -> dict:
    """Train `model` (on `device`, weights loaded); leave last and best_val weights and history.csv in `out`.

    Returns the record's results: clips of each split and those set aside, and word accuracies in %.
    """
    clips = Clips(model, store, device)
    table = store.clips
    wanted = [units.numbers(table["transcript"].iloc[row], table["clip"].iloc[row]) for row in train_rows]
    lengths = [model.columns(int(table["length"].iloc[row])) for row in train_rows]
    kept = alignable(lengths, wanted, [table["clip"].iloc[row] for row in train_rows], f"strip {settings.strip}")
    rows, wanted = train_rows[kept], [wanted[i] for i in kept]
    val_rows = np.array([row for row in val_rows if model.columns(int(table["length"].iloc[row])) > 0], dtype=int)
    sizes = np.array([lengths[i] for i in kept])
    orders: dict[int, list[np.ndarray]] = {}

    def batch_of(epoch: int, step: int) -> tuple[list[Tensor], list[list[int]]]:
        if epoch not in orders:
            orders.clear()
            orders[epoch] = sorted_order(sizes, recipe.batch_size, settings.seed, epoch)
        batch, draw = orders[epoch][step], generator(settings.seed, "batch", epoch, step)
        return [masked(clips(int(row)), settings, draw) for row in rows[batch]], [wanted[i] for i in batch]

    def loss_of(model: nn.Module, batch: tuple[list[Tensor], list[list[int]]]) -> tuple[Tensor, int]:
        own, said = batch
        made = model(own, auxiliary=True)
        loss = loss_of_columns(made.logits, made.columns, said)
        return loss + settings.auxiliary * loss_of_columns(made.auxiliary, made.columns, said), len(own)

    def evaluate() -> dict[str, float]:
        found = heard(model, clips, [int(row) for row in val_rows], units)
        return {"val": 100 * (1 - float(jiwer.wer([table["transcript"].iloc[row] for row in val_rows], found)))}

    optimizer = build_optimizer(model, recipe, lambda name: 0, (), 0)
    learnt = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer.register_step_pre_hook(lambda *_: _clipped(learnt))
    run = train(
        model,
        optimizer,
        recipe=recipe,
        seed=settings.seed,
        target=settings.keep_rate,
        steps=steps_of(len(rows), recipe.batch_size),
        batch_of=batch_of,
        loss_of=loss_of,
        evaluate=evaluate,
        point=ResumePoint(resume, key, save_every_s),
        device=device,
        name=name,
    )
    write_outcome(out, model, run)
    last: dict[str, Any] = {key: run.history[-1][key] for key in ("epoch", "train_loss", "val_metric")}
    return {
        "clips": {"train": len(rows), "val": len(val_rows)},
        "set_aside": len(train_rows) - len(rows),
        "seconds": run.elapsed,
        "last": last,
        **{split: {"epoch": best["epoch"], "accuracy": best["metric"]} for split, best in run.best.items()},
    }


def _clipped(parameters: list[nn.Parameter]) -> None:
    clip_grad_norm_(parameters, CLIP_NORM)
