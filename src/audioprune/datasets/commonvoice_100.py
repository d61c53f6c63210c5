"""A hundred sentences of Mozilla Common Voice English, read by 99 people, with their text: real speech, and small.

All of them are test clips. A recording is a speaker here, since that is what intervals are drawn over.
"""

from __future__ import annotations

import csv
from pathlib import Path

from audioprune.datasets._options import lines_of, options_of
from audioprune.facts.dataset import Clip, Dataset

FACTS = Dataset(
    name="commonvoice-100",
    task="transcription",
    classes=(),
    frames=3008,
    source="commonvoice-100",
    metric="wer",
    content="speech",
    test_clips=100,
)


def clips(root: Path, options: dict) -> list[Clip]:
    """One clip for each row of validated.csv (client_id, path, sentence, ...); no options."""
    options_of("commonvoice-100", options)
    rows = csv.DictReader(lines_of(root / "validated.csv", "commonvoice-100"))
    return [
        Clip(
            id=row["path"].removesuffix(".wav"),
            path=f"data/{row['path']}",
            split="test",
            recording=row["client_id"][:16],
            speaker=row["client_id"][:16],
            transcript=row["sentence"],
        )
        for row in rows
    ]
