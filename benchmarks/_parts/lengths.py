"""Speed of a classifier with random weights on clips as long as they are, in every batching, beside the closed form."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from audioprune.models.build import build_model
from audioprune.profiling.batchings import ARM
from audioprune.profiling.pace import measured
from audioprune.results.estimate import Estimate
from audioprune.results.paces import of_tables
from audioprune.settings.costs import PaceSettings
from audioprune.steps._paced_classifier import PacedClassifier

CLASSES, MEAN, STD = 10, -5.0, 4.0  # no time depends on them
MEASURED = ("clips_per_s", "audio_per_s", "speed_up", "encoder_speed_up", "pruning_speed_up")


def timings(own: PaceSettings, waves: Sequence[Tensor], frames: int, device: torch.device) -> list[dict]:
    """A row for each arm, of waveforms (L,) and a model of `frames`: medians and quartiles over the runs, tokens.

    speed_up, mac_ratio: against the unpruned model on padded batches, by the clock and by the closed form M(T) / mean M
    of what is computed for each clip.
    """
    model = build_model(own.backbone, frames=frames, num_classes=CLASSES).to(device).eval()
    subject = PacedClassifier(model, own, CLASSES, MEAN, STD)
    found = measured(subject, waves, own, device=device, name=f"timing {own.backbone} on {own.dataset}")
    tokens = found.batches.groupby("batching")[["valid", "computed"]].sum()
    rows = []
    for one in of_tables(own, found.runs, found.batches, found.about, ()):
        row = dict(zip(ARM, one.arm, strict=True)) | {"per_batch": float(one.counted["per_batch"])}
        row |= {name: int(count) for name, count in tokens.loc[one.arm.batching].items()}
        row |= {"waste": float(one.counted["waste"]), "mac_ratio": float(one.counted["encoder_mac_ratio"])}
        for name in MEASURED:
            value = one.timed[name]
            assert isinstance(value, Estimate), "every arm was timed"
            row |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
        rows.append(row)
    return rows
