"""FSDD as speakers: who of six says the digit; a miniature of VoxCeleb1.

The speakers recorded in six different rooms, which makes them easy to tell apart; `noise_snr_db` mixes white noise in.
"""

from __future__ import annotations

from pathlib import Path

from audioprune.datasets._draws import draw
from audioprune.datasets._fsdd import SPEAKERS, takes
from audioprune.datasets._options import options_of
from audioprune.facts.dataset import Clip, Dataset

FACTS = Dataset(
    name="fsdd-speakers",
    task="speaker",
    classes=SPEAKERS,
    frames=64,
    source="fsdd",
    content="speech",
    train_clips=2700,
    test_clips=300,
    drawn_within="speaker",
)


def switches(options: dict) -> dict:
    """Options: noise_snr_db (None: no noise), seed (0)."""
    return options_of("fsdd-speakers", options, noise_snr_db=None, seed=0)


def clips(root: Path, options: dict) -> list[Clip]:
    """One clip for each take. meta: noise_snr_db, noise_seed, for audio.noise.add_noise."""
    chosen = switches(options)
    snr, seed = chosen["noise_snr_db"], chosen["seed"]
    return [
        Clip(
            id=take.id,
            path=take.path,
            labels=(SPEAKERS.index(take.speaker),),
            split=take.split,
            recording=take.recording,
            speaker=take.speaker,
            meta={} if snr is None else {"noise_snr_db": float(snr), "noise_seed": draw("noise", seed, take.id)},
        )
        for take in takes(root, "fsdd-speakers")
    ]
