"""AudioSet-20K (Gemmeke et al. 2017): balanced training segments and evaluation segments of 10 s, 527 labels.

The released lists hold 20 550 and 18 886 clips. Classes are named by their numbers: display names come with the user's
copy of class_labels_indices.csv.
"""

from __future__ import annotations

from pathlib import Path

from audioprune.datasets import _audioset
from audioprune.facts.dataset import Clip, Dataset

FACTS = Dataset(
    name="as20k",
    task="multilabel",
    classes=tuple(map(str, range(_audioset.CLASSES))),
    frames=1024,
    source="as20k",
    mean=-4.2677393,
    std=4.5689974,
    loss="bce",
    metric="map",
    tau=-1.0,
    train_clips=20_550,
    test_clips=18_886,
)


def switches(options: dict) -> dict:
    return _audioset.switches(options, "as20k", "as20k_16k.json")


def clips(root: Path, options: dict) -> list[Clip]:
    return _audioset.clips(root, switches(options), "as20k")
