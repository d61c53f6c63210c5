"""AudioSet in AST's format: {"data": [{"wav": path, "labels": "mid,mid"}]} and a CSV of index, mid, display_name."""

from __future__ import annotations

import csv
import json
from pathlib import Path, PurePosixPath
from typing import Literal

from audioprune.datasets._options import options_of
from audioprune.errors import UserError
from audioprune.facts.dataset import Clip
from audioprune.registry import nearest
from audioprune.sources.place import pinned

CLASSES = 527


def switches(options: dict, dataset: str, train_json: str) -> dict:
    """Options: train_json, eval_json, labels_csv: files in the folder, whose digest covers them. train_audio,
    eval_audio: folders in it; where given, only the file name of a listed path counts (the released lists name places
    of the authors' machine).
    """
    return options_of(
        dataset, options, train_json=train_json, eval_json="audioset_eval.json",
        labels_csv="class_labels_indices.csv", train_audio="", eval_audio="",
    )  # fmt: skip


def clips(root: Path, chosen: dict, dataset: str) -> list[Clip]:
    """Clips of the training and the evaluation list, in the lists' order."""
    for option in ("train_json", "eval_json", "labels_csv"):
        if not pinned(root, chosen[option]):
            raise UserError(
                f"dataset_options.{dataset}.{option} in config.yaml: {chosen[option]!r} lies outside {root} or is "
                "hidden, so no digest covers it; copy it into the folder and give its path there"
            )
    number = label_numbers(root / chosen["labels_csv"], dataset)
    found: dict[str, Clip] = {}
    splits: dict[Literal["train", "test"], str] = {"train": "train", "test": "eval"}
    for split, part in splits.items():
        path = root / chosen[f"{part}_json"]
        for i, row in enumerate(_rows(path, dataset)):
            wav = row["wav"]
            audio = f"{chosen[f'{part}_audio']}/{PurePosixPath(wav).name}" if chosen[f"{part}_audio"] else wav
            mids = [mid.strip() for mid in row["labels"].split(",") if mid.strip()]
            if unknown := [mid for mid in mids if mid not in number]:
                raise UserError(f"{dataset}: {path}, entry {i}: no label {unknown[0]!r}{nearest(unknown[0], number)}")
            name = PurePosixPath(wav).stem
            if name in found:
                raise UserError(f"{dataset}: {path}, entry {i}: the clip {name!r} is listed twice")
            labels = tuple(sorted({number[mid] for mid in mids}))
            found[name] = Clip(name, audio, labels, split=split, recording=name)
    return list(found.values())


def label_numbers(path: Path, dataset: str) -> dict[str, int]:
    """{mid: number} of class_labels_indices.csv."""
    try:
        with open(path, newline="", encoding="utf-8") as f:
            number = {row["mid"]: int(row["index"]) for row in csv.DictReader(f)}
    except FileNotFoundError:
        raise UserError(f"{dataset}: {path} is missing: it comes with AST (columns index, mid, display_name)") from None
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{dataset}: {path} is not a CSV with columns index, mid, display_name") from None
    if sorted(number.values()) != list(range(CLASSES)):
        raise UserError(f"{dataset}: {path} does not number {CLASSES} labels from 0 to {CLASSES - 1}")
    return number


def _rows(path: Path, dataset: str) -> list[dict]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["data"]
        if all(isinstance(row["wav"], str) and isinstance(row["labels"], str) for row in rows):
            return rows
    except FileNotFoundError:
        raise UserError(f"{dataset}: {path} is missing: the list of clips in AST's format") from None
    except (ValueError, KeyError, TypeError):
        pass
    raise UserError(f'{dataset}: {path} is not a list in AST\'s format: {{"data": [{{"wav": ..., "labels": ...}}]}}')
