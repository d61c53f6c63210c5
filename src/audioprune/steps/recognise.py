"""A recogniser with a CTC head: trained from nothing, adapted to a policy, or taken as it was published.

Leaves last and best_val weights (best by word accuracy on validation clips) and history.csv; the record has the units.
What was published is checked, brought into the same form and not trained: its history is empty.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from audioprune import records, registry
from audioprune.audio.store import WaveformStore
from audioprune.errors import UserError
from audioprune.facts.recogniser import CTC
from audioprune.facts.units import OFFICIAL, Units, units_of
from audioprune.models.ctc import Listener
from audioprune.settings.speech import RecogniseSettings
from audioprune.sources.of_cell import facts_of
from audioprune.steps._model import checkpoint_file
from audioprune.steps._run import Job, main
from audioprune.training.batches import generator
from audioprune.training.ctc import teach
from audioprune.training.device import deterministic
from audioprune.training.history import write_history
from audioprune.training.loop import weights_of
from audioprune.training.splits import Rows, rows_of

SAMPLE = 1000  # training clips, at most, of which a new model takes its statistics


def recognise(job: Job[RecogniseSettings]) -> dict:
    settings, facts = job.settings, CTC[job.settings.recogniser]
    device = deterministic(threads=1 if facts.small else 8)
    store = WaveformStore.open(job.inputs["audio"])
    if settings.recipe is None and "checkpoint" not in job.inputs:
        raise UserError(
            f"{job.address} has no recipe, and {facts.name} has no official checkpoint: give `taught` a base"
        )
    rows = parts(job, store)
    units = units_for(job, store, rows.train)
    family = registry.get("recognisers", facts.family)
    drop_path = settings.recipe.drop_path if settings.recipe else 0.0
    model: Listener = family.build(
        facts, units=len(units.names), strip=settings.strip, seed=settings.seed, drop_path=drop_path
    )
    if "recognise" in job.inputs:
        model.load_state_dict(load_file(job.inputs["recognise"] / "last.safetensors"))
        model.learn(())
    elif "checkpoint" in job.inputs:
        family.load_official(model, checkpoint_file(job.inputs["checkpoint"]))
        model.learn(())
    else:
        order = torch.randperm(len(rows.train), generator=generator(settings.seed, "statistics"))[:SAMPLE].numpy()
        model.learn([torch.from_numpy(store.waveform(int(row))) for row in rows.train[order]])
    family.put_in(model, settings)
    said = {"units": list(units.names), "unknown_test_words": unknown(units, store, rows.test)}
    if settings.recipe is None:
        write_history(job.out / "history.csv", [])
        with records.atomic(job.out / "last.safetensors") as path:
            save_file(weights_of(model), path)
        return said
    return said | teach(
        settings,
        model.to(device),
        recipe=settings.recipe,
        units=units,
        store=store,
        train_rows=rows.train,
        val_rows=rows.val,
        out=job.out,
        resume=job.resume,
        key=job.key,
        device=device,
        name=f"recognise/{job.address}",
        save_every_s=job.save_every_s,
    )


def parts(job: Job[RecogniseSettings], store: WaveformStore) -> Rows:
    """Rows of clips to learn from, to choose weights by and to be tested on: what learns nothing has the last alone."""
    settings, split = job.settings, store.clips["split"].to_numpy()
    if settings.recipe is None:
        none = np.zeros(0, dtype=np.int64)
        return Rows(none, none, np.flatnonzero(split == "test"))
    if not (split == "train").any():
        raise UserError(
            f"{settings.dataset} has no training clips, and {settings.recogniser} is to learn from them: bring clips "
            "of the split `train`, or take `base` and `adapted` out of `taught`"
        )
    return rows_of(store.clips, folds=facts_of(job.inputs["audio"]).folds, split="nested")


def units_for(job: Job[RecogniseSettings], store: WaveformStore, rows: np.ndarray) -> Units:
    """Of what is adapted, its own; of an official checkpoint, its letters; else those of the training transcripts."""
    if "recognise" in job.inputs:
        return Units(job.settings.units, tuple(_results(job.inputs["recognise"])["units"]))
    if "checkpoint" in job.inputs:
        return Units("chars", OFFICIAL)
    return units_of(job.settings.units, store.clips["transcript"].iloc[rows])


def unknown(units: Units, store: WaveformStore, rows: np.ndarray) -> int:
    return sum(units.unknown(one) for one in store.clips["transcript"].iloc[rows])


def _results(cell: Path) -> dict:
    return records.read(cell)["results"]


if __name__ == "__main__":
    main(recognise)
