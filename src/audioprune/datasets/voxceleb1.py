"""VoxCeleb1 identification (Nagrani et al. 2017): 1 251 speakers, 138 361 / 6 904 / 8 251 clips by iden_split.txt.

All speakers stay, those of the verification test too, as in the released code. Speakers are named by their ids. P0 used
no validation set; the official one is listed as such and no training sees it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from audioprune.datasets._options import lines_of, options_of
from audioprune.errors import UserError
from audioprune.facts.dataset import Clip, Dataset

SPEAKERS = 1251
SPLITS: dict[str, Literal["train", "val", "test"]] = {"1": "train", "2": "val", "3": "test"}

FACTS = Dataset(
    name="voxceleb1",
    task="speaker",
    classes=tuple(f"id{10001 + i}" for i in range(SPEAKERS)),
    frames=1024,
    source="voxceleb1",
    mean=-6.370,
    std=3.074,
    content="speech",
    tau=-1.25,
    train_clips=138_361,
    test_clips=8_251,
)


def clips(root: Path, options: dict) -> list[Clip]:
    """One clip for each line "<1|2|3> <speaker>/<video>/<n>.wav" of iden_split.txt, in wav/; a video is a recording."""
    options_of("voxceleb1", options)
    number = {speaker: i for i, speaker in enumerate(FACTS.classes)}
    if not (root / "wav").is_dir():
        raise UserError(f"voxceleb1: {root} holds no folder wav: it is not the root of this dataset")
    found = []
    for line in lines_of(root / "iden_split.txt", "voxceleb1"):
        part, _, name = line.partition(" ")
        speaker, _, rest = name.partition("/")
        if part not in SPLITS or speaker not in number:
            raise UserError(f"voxceleb1: iden_split.txt has a line that is not understood: {line!r}")
        video = f"{speaker}/{rest.partition('/')[0]}"
        labels, split = (number[speaker],), SPLITS[part]
        found.append(Clip(name, f"wav/{name}", labels, split=split, recording=video, speaker=speaker))
    return sorted(found, key=lambda clip: clip.id)
