"""ESC-10 (Piczak 2015): 400 clips of 5 s, 10 environmental sounds, 5 folds; a miniature of ESC-50."""

from __future__ import annotations

from pathlib import Path

from audioprune.datasets._esc import parse
from audioprune.datasets._options import listed, options_of
from audioprune.errors import UserError
from audioprune.facts.dataset import Clip, Dataset

FACTS = Dataset(
    name="esc10",
    task="environmental",
    classes=(
        "dog_bark", "rain", "sea_waves", "baby_cry", "clock_tick",
        "person_sneeze", "helicopter", "chainsaw", "rooster", "fire_crackling",
    ),
    frames=512,
    source="esc10",
    folds=5,
    train_clips=320,
    test_clips=80,
)  # fmt: skip


def clips(root: Path, options: dict) -> list[Clip]:
    """Clips in the order of their names; class from the folder ("001 - Dog bark" is 0), the rest from the file name."""
    options_of("esc10", options)
    found = []
    for path in listed(root, "[0-9][0-9][0-9] - */*.ogg", "esc10"):
        folder, name = path.split("/")
        number, title = int(folder[:3]) - 1, folder[6:].lower().replace(" ", "_")
        if not 0 <= number < FACTS.num_classes or FACTS.classes[number] != title:
            raise UserError(f"esc10: the folder {folder!r} is none of the ten classes")
        esc = parse(path, "esc10")
        found.append(Clip(name.removesuffix(".ogg"), path, (number,), fold=esc.fold, recording=esc.recording))
    return sorted(found, key=lambda clip: clip.id)
