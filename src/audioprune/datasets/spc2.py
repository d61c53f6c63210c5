"""Speech Commands v0.02 with all 35 words (Warden 2018), the paper's SPC-2: 84 843 / 9 981 / 11 005 clips of 1 s."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from audioprune.datasets._options import lines_of, listed, options_of
from audioprune.errors import UserError
from audioprune.facts.dataset import Clip, Dataset

FACTS = Dataset(
    name="spc2",
    task="keyword",
    # In the order of AST's label list, so that released classifiers keep their meaning.
    classes=(
        "backward", "follow", "five", "bed", "zero", "on", "learn", "two", "house", "tree", "dog", "stop", "seven",
        "eight", "down", "six", "forward", "cat", "right", "visual", "four", "wow", "no", "nine", "off", "three",
        "left", "marvin", "yes", "up", "sheila", "happy", "bird", "go", "one",
    ),
    frames=128,
    source="spc2",
    mean=-6.845978,
    std=5.5654526,
    loss="bce",
    content="speech",
    tau=-0.65,
    train_clips=84_843,
    test_clips=11_005,
)  # fmt: skip


def clips(root: Path, options: dict) -> list[Clip]:
    """One clip for each <word>/<speaker>_nohash_<n>.wav; the official lists say what validates and what tests."""
    options_of("spc2", options)
    split: dict[str, Literal["train", "val", "test"]] = dict.fromkeys(
        lines_of(root / "validation_list.txt", "spc2"), "val"
    )
    split |= dict.fromkeys(lines_of(root / "testing_list.txt", "spc2"), "test")
    number = {word: i for i, word in enumerate(FACTS.classes)}
    found = []
    for path in listed(root, "[a-z]*/*.wav", "spc2"):  # _background_noise_ is no word
        word, name = path.split("/")
        if word not in number:
            raise UserError(f"spc2: the folder {word!r} is none of the 35 words")
        speaker = name.partition("_nohash_")[0]
        found.append(Clip(path, path, (number[word],), split=split.pop(path, "train"), recording=path, speaker=speaker))
    if split:
        raise UserError(f"spc2: {len(split)} listed clips are missing, the first is {next(iter(split))}")
    return found
