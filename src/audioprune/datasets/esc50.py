"""ESC-50 (Piczak 2015): 2 000 clips of 5 s, 50 environmental sounds, 5 folds."""

from __future__ import annotations

from pathlib import Path

from audioprune.datasets._esc import parse
from audioprune.datasets._options import listed, options_of
from audioprune.errors import UserError
from audioprune.facts.dataset import Clip, Dataset

FACTS = Dataset(
    name="esc50",
    task="environmental",
    classes=(
        "dog", "rooster", "pig", "cow", "frog", "cat", "hen", "insects", "sheep", "crow",
        "rain", "sea_waves", "crackling_fire", "crickets", "chirping_birds",
        "water_drops", "wind", "pouring_water", "toilet_flush", "thunderstorm",
        "crying_baby", "sneezing", "clapping", "breathing", "coughing",
        "footsteps", "laughing", "brushing_teeth", "snoring", "drinking_sipping",
        "door_wood_knock", "mouse_click", "keyboard_typing", "door_wood_creaks", "can_opening",
        "washing_machine", "vacuum_cleaner", "clock_alarm", "clock_tick", "glass_breaking",
        "helicopter", "chainsaw", "siren", "car_horn", "engine",
        "train", "church_bells", "airplane", "fireworks", "hand_saw",
    ),
    frames=512,
    source="esc50",
    folds=5,
    mean=-6.6268077,
    std=5.358466,
    tau=-0.65,
    train_clips=1_600,
    test_clips=400,
)  # fmt: skip


def clips(root: Path, options: dict) -> list[Clip]:
    """One clip for each audio/<fold>-<Freesound clip>-<take>-<class>.wav."""
    options_of("esc50", options)
    found = []
    for path in listed(root, "audio/*.wav", "esc50"):
        esc = parse(path, "esc50")
        if esc.target is None or esc.target >= FACTS.num_classes:
            raise UserError(f"esc50: {path} has no class from 0 to 49 in its name")
        name = path.removeprefix("audio/").removesuffix(".wav")
        found.append(Clip(name, path, (esc.target,), fold=esc.fold, recording=esc.recording))
    return found
