"""AudioSet-2M: all training segments, unbalanced and balanced; the same evaluation segments and labels as AS-20K."""

from __future__ import annotations

from pathlib import Path

from audioprune.datasets import _audioset
from audioprune.facts.dataset import Clip, Dataset

FACTS = Dataset(
    name="as2m",
    task="multilabel",
    classes=tuple(map(str, range(_audioset.CLASSES))),
    frames=1024,
    source="as2m",
    mean=-4.2677393,
    std=4.5689974,
    loss="bce",
    metric="map",
)


def switches(options: dict) -> dict:
    return _audioset.switches(options, "as2m", "as2m_16k.json")


def clips(root: Path, options: dict) -> list[Clip]:
    return _audioset.clips(root, switches(options), "as2m")
