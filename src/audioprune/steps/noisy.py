"""Test clips by a fine-tuned model with the evaluation's own pruning, clean and in every kind and level of noise.

`noisy.parquet` has one row for each clip and condition: clip, recording, speaker, labels, kind (`clean`: undisturbed),
level (dB; of reverb seconds), draw, scores; and, with one value for each selecting block where whole tokens are kept,
kept (patches left), overlap (with what the clean clip keeps), on_signal and clean_on_signal (shares of the patches left
that are signal, as the disturbed and as the clean clip ranks them); all_signal is that share of all patches.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from audioprune import records
from audioprune.audio.disturb import Power
from audioprune.audio.disturbed import Disturbed
from audioprune.audio.features import FeatureStore
from audioprune.audio.noise_of import Noise, Pool
from audioprune.audio.store import WaveformStore
from audioprune.errors import UserError
from audioprune.facts.noise import BORROWED, CLEAN, Condition, conditions
from audioprune.settings.evaluation import NoisySettings
from audioprune.sources.of_cell import facts_of, finetuned
from audioprune.steps._model import load_finetuned, model_for
from audioprune.steps._run import Job, main
from audioprune.tokens.under_noise import Heard, hear
from audioprune.training.device import prepare
from audioprune.training.splits import rows_of


def noisy(job: Job[NoisySettings]) -> dict:
    settings, trained = job.settings, finetuned(job.inputs["finetune"])
    device = prepare(trained.model.backbone)
    facts = facts_of(job.inputs["audio"])
    clips = WaveformStore.open(job.inputs["audio"]).clips
    split = rows_of(clips, folds=facts.folds, fold=trained.fold, split=trained.split)
    features = FeatureStore.open(job.inputs["features"]).fitted(split.train)
    borrowed = tuple((kind, job.inputs.get(kind, job.inputs["audio"])) for kind in BORROWED if kind in settings.kinds)
    own = job.inputs["audio"], job.inputs["features"], tuple(split.test.tolist())
    made = disturbed(*own, borrowed, settings.power, settings.seed, settings.talkers)
    rows = [row for row in split.test.tolist() if made.has_power(row)]
    if not rows:
        raise UserError(f"{facts.name}: no test clip has any power, so no signal-to-noise ratio is defined")
    model = model_for(trained, facts, features.values.shape[1], pruning=settings.pruning, kernel=settings.kernel)
    load_finetuned(model, job.inputs["finetune"], settings.selection)

    def normalised(batch: Sequence[int], condition: Condition) -> tuple:
        x, signal = made.of(batch, condition)
        return features.normalise(x), signal

    asked = [*conditions(settings.kinds, settings.snrs, settings.t60s, settings.draws)]
    passes = hear(
        model.to(device), rows, asked, clean=features.fbank, disturbed=normalised, device=device,
        name=f"noisy/{job.address}",
    )  # fmt: skip
    chosen = clips.iloc[rows][["clip", "recording", "speaker", "labels"]].reset_index(drop=True)
    found = pd.concat([_rows(chosen, one) for one in passes], ignore_index=True)
    found = found.sort_values(["kind", "level", "draw"], kind="stable", ignore_index=True)
    with records.atomic(job.out / "noisy.parquet") as path:
        found.to_parquet(path, index=False)
    return {
        "metric": facts.metric,
        "clips": len(rows),
        "conditions": 1 + len(asked),
        "selection": settings.selection,
        "patches": model.tokens.patches,
        "blocks": sorted(model.pruning.blocks) if len(found["kept"].iloc[0]) else [],
        "set_aside": sorted(clips["clip"].iloc[[*set(split.test.tolist()) - set(rows)]]),  # without power
    }


@lru_cache(maxsize=1)
def disturbed(
    audio: Path, features: Path, test: tuple[int, ...], borrowed: tuple[tuple[str, Path], ...],
    power: Power, seed: int, talkers: int,
) -> Disturbed:  # fmt: skip
    """The disturbed test clips, shared by all cells of this process that ask for the same.

    Noise is made of the test clips themselves, never of clips a model was trained on, or of another dataset's.
    """
    store, name = WaveformStore.open(audio), facts_of(audio).name
    pools = {kind: _pool(folder, np.array(test) if folder == audio else None) for kind, folder in borrowed}
    noise = Noise(seed, talkers, pools, name)
    return Disturbed(store, FeatureStore.open(features), noise, power)


def _pool(audio: Path, rows: np.ndarray | None) -> Pool:
    store, facts = WaveformStore.open(audio), facts_of(audio)
    rows = np.arange(len(store)) if rows is None else rows
    return Pool(facts.name, store.clips, rows, store.waveform, facts.mixed_by)


def _rows(clips: pd.DataFrame, one: Heard) -> pd.DataFrame:
    kind, level, draw = one.condition or Condition(CLEAN, float("nan"), 0)
    found = clips.iloc[one.start : one.start + len(one.scores)]
    return found.assign(
        kind=kind,
        level=level,
        draw=np.int16(draw),
        **{name: [*getattr(one, name)] for name in ("scores", "kept", "overlap", "on_signal", "clean_on_signal")},
        all_signal=one.all_signal,
    )


if __name__ == "__main__":
    main(noisy)
