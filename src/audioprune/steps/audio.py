"""Decoding of a dataset into a waveform store; clips that cannot be used stop the step or are set aside, by name."""

from __future__ import annotations

import csv
import logging
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audioprune import records, registry
from audioprune.audio.bad_clip import BadClip
from audioprune.audio.decode import Sound, check_sound, sound, sound_of_parts
from audioprune.audio.noise import add_noise
from audioprune.audio.ordered import in_order
from audioprune.audio.store import WaveformStore, write_store
from audioprune.audio.treated import questioned, treated
from audioprune.errors import UserError
from audioprune.facts.dataset import Clip
from audioprune.facts.mel import SAMPLE_RATE
from audioprune.planning import brought, user_csv
from audioprune.progress import track
from audioprune.settings.data import AudioSettings
from audioprune.sources.place import pinned, root_of
from audioprune.steps._run import Job, main

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger("audioprune")

WORKERS = 2  # decoding threads
ROW = ("labels", "fold", "split", "recording", "speaker", "transcript", "extents")  # what Clip and a store's row share


@dataclass(frozen=True)
class SetAside:
    clip: str
    reason: str
    detail: str


def audio(job: Job[AudioSettings]) -> dict:
    settings = job.settings
    check_brought(job, settings)
    bad: list[SetAside] = []
    rows: list[dict] = []
    lost: list[dict] = []

    def usable() -> Iterator[tuple[dict, np.ndarray]]:
        for row, outcome in clips_of(settings, job.inputs):
            if isinstance(outcome, BadClip):
                bad.append(SetAside(row["clip"], outcome.reason, outcome.detail))
                lost.append(row)
            else:
                rows.append(row)
                yield row, outcome

    try:
        written = write_store(job.out, usable())
    except ValueError as error:
        raise UserError(f"{settings.dataset}: {error}") from error
    check_brought(job, settings)  # nothing was changed while it was read
    if bad and settings.bad_clips == "stop":
        raise UserError(complaint(settings.dataset, bad))
    if not rows:
        raise UserError(f"{settings.dataset}: no clip is left\n{complaint(settings.dataset, bad)}")
    if gone := classes_lost(rows, lost):
        classes = settings.user.classes if settings.user else registry.dataset(settings.dataset).classes
        named = ", ".join(repr(classes[label]) for label in gone)
        raise UserError(f"{settings.dataset}: no training clip is left of {named}\n{complaint(settings.dataset, bad)}")
    write_set_aside(job.out / "set_aside.csv", bad)
    stored = WaveformStore.open(job.out).clips
    for warning in questioned(stored):
        log.warning("%s: %s", settings.dataset, warning)
    return {
        "clips": written.clips,
        "hours": round(written.samples / SAMPLE_RATE / 3600, 6),
        "clipped_samples": written.clipped,
        "treated": treated(stored),
        "set_aside": dict(sorted(Counter(item.reason for item in bad).items())),
        "splits": dict(sorted(Counter(row["split"] for row in rows if row["split"]).items())),
        "folds": {str(fold): n for fold, n in sorted(Counter(row["fold"] for row in rows if row["fold"]).items())},
    }


def classes_lost(rows: list[dict], lost: list[dict]) -> list[int]:
    """Classes with training clips (with folds, clips of any fold) among the lost rows only."""

    def trained(found: list[dict]) -> set[int]:
        return {label for row in found if row["fold"] or row["split"] == "train" for label in row["labels"]}

    return sorted(trained(lost) - trained(rows))


def check_brought(job: Job[AudioSettings], settings: AudioSettings) -> None:
    """Raise UserError where data that the user brings is not what the job was planned for."""
    if settings.user is not None:
        found = brought.current(settings.dataset, brought.place_of_user(settings.user), keep=False)
        brought.as_planned(settings.dataset, found, job.kind, settings, job.key)
    elif "fetch" in job.inputs:
        root_of(job.inputs["fetch"], registry.dataset(settings.dataset).source)


def clips_of(settings: AudioSettings, inputs: dict[str, Path]) -> Iterator[tuple[dict, np.ndarray | BadClip]]:
    """(row, waveform or what is wrong with it) of every clip, in the dataset's order."""
    if settings.user is not None:
        table = user_csv.read(settings.user)
        log.info(table.told)
        return decoded(table.clips, user_csv.folder(settings.user), settings.user.task)
    module = registry.get("datasets", settings.dataset)
    if "generate" in inputs:
        store = WaveformStore.open(inputs["generate"])
        return selected(store, module.select(store.clips, settings.options), module.FACTS.task)
    root = root_of(inputs["fetch"], module.FACTS.source)
    clips = module.clips(root, settings.options)
    check_pinned(clips, root, settings.dataset)
    return decoded(clips, root, module.FACTS.task)


def check_pinned(clips: list[Clip], root: Path, dataset: str) -> None:
    """Raise UserError for a clip whose file no digest of the folder covers: its bytes would be in no key."""
    for clip in clips:
        for path in clip.parts or (clip.path,):
            if not pinned(root, path):
                raise UserError(
                    f"{dataset}: {path!r}, the file of the clip {clip.id!r}, lies outside {root} or is hidden, so no "
                    "digest covers it; copy it into the folder under a plain name, and list that"
                )


def decoded(clips: list[Clip], root: Path, task: str) -> Iterator[tuple[dict, np.ndarray | BadClip]]:
    """Clips decoded from their files below `root`, several at a time, in their order."""

    def work(clip: Clip) -> tuple[dict, np.ndarray | BadClip]:
        row = {"clip": clip.id} | {name: getattr(clip, name) for name in ROW}
        try:
            check_label(row, task)
            found = sound_of(clip, root)
        except BadClip as bad:
            return row, bad
        return row | {"rate": found.rate, "channels": found.channels, "divisor": found.divisor}, found.waveform

    with ThreadPoolExecutor(WORKERS) as pool:
        yield from track(in_order(pool, work, clips, 8 * WORKERS), "decoding", len(clips))


def sound_of(clip: Clip, root: Path) -> Sound:
    """A clip's file or joined parts, decoded, with noise mixed in where its dataset asks for it."""
    found = sound_of_parts([root / part for part in clip.parts], clip.join) if clip.parts else sound(root / clip.path)
    if "noise_snr_db" not in clip.meta:
        return found
    return replace(found, waveform=add_noise(found.waveform, clip.meta["noise_snr_db"], clip.meta["noise_seed"]))


def selected(store: WaveformStore, chosen: pd.DataFrame, task: str) -> Iterator[tuple[dict, np.ndarray | BadClip]]:
    """Rows that a dataset chose from its generator's clips, with the generator's waveforms, bit for bit."""
    position = {name: i for i, name in enumerate(store.clips["clip"])}
    for record in track(chosen.to_dict("records"), "copying", len(chosen)):
        row = {name: record[name] for name in ("clip", *ROW)}
        waveform = store.waveform(position[row["clip"]])
        try:
            check_label(row, task)
            check_sound(waveform)
        except BadClip as bad:
            yield row, bad
        else:
            yield row, waveform


def check_label(row: dict, task: str) -> None:
    """Raise BadClip when a clip has nothing to be judged by: a transcript for transcription, else a label."""
    if task == "transcription":
        if not row["transcript"].strip():
            raise BadClip("no_label", "it has no transcript")
    elif not len(row["labels"]):
        raise BadClip("no_label", "it has no label")


def complaint(dataset: str, bad: list[SetAside]) -> str:
    """One message that names every clip that cannot be used."""
    lines = [f"  {item.clip}: {item.reason} ({item.detail})" for item in bad]
    return "\n".join(
        [
            f"{dataset}: {len(bad)} clip{'s' * (len(bad) > 1)} cannot be used:",
            *lines,
            "mend or remove them, or write `bad_clips: set_aside` in config.yaml to leave them out; they are then "
            "listed in set_aside.csv and counted in the report",
        ]
    )


def write_set_aside(path: Path, bad: list[SetAside]) -> None:
    with records.atomic(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["clip", "reason", "detail"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(item) for item in bad)


if __name__ == "__main__":
    main(audio)
