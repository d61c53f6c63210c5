"""`audioprune predict`: labels with scores from a classifier, for files of audio of any length and format.

A clip is heard as long as it is, without padding; beyond the model's own length in windows, whose logits are averaged
(docs/lengths.md). Files that cannot be used are told together at the end, and the exit code is then 1.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audioprune.cli._output import print_json
from audioprune.errors import UserError

if TYPE_CHECKING:
    from audioprune.cli._classifier import Asked

COLUMNS = ("file", "frames", "windows", "rank", "label", "score")


def register(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("predict", help="labels with scores for files of audio", description=__doc__)
    parser.add_argument("files", nargs="+", metavar="file", help="audio of any length, rate and number of channels")
    parser.add_argument(
        "--model", required=True, help="a fine-tuning or an evaluation, by its path or address, or a checkpoint's file"
    )
    parser.add_argument("--top", type=int, default=5, help="labels of each file, the best first (default: 5; 0: all)")
    parser.add_argument("--labels", type=Path, help="names of the model's outputs: one a line, or a JSON list")
    parser.add_argument(
        "--keep-rate", type=float, help="share of tokens that each pruning block keeps, not the model's"
    )
    parser.add_argument("--method", help="pruning method, not the model's own (a checkpoint: topk)")
    parser.add_argument("--kept", type=Path, metavar="DIR", help="write a picture of what is kept of each file there")
    parser.add_argument("--backbone", help="of a checkpoint, where its tensors do not say it: ast-mp")
    parser.add_argument("--dataset", help="that a checkpoint was trained on: its length, labels, mean and deviation")
    parser.add_argument("--frames", type=int, help="of 10 ms, that a checkpoint was trained with")
    parser.add_argument(
        "--multi-label",
        action="store_true",
        default=None,
        help="a checkpoint without --dataset: clips may have several labels, so each is scored by itself (sigmoid)",
    )
    parser.add_argument("--mean", type=float, help="of the log-mel values that the model was trained with")
    parser.add_argument("--std", type=float, help="their standard deviation")
    parser.add_argument("--json", action="store_true", help="JSON instead of CSV")


def run(arguments: argparse.Namespace) -> int:
    from audioprune.cli import _kept
    from audioprune.cli._classifier import Given, asked

    if arguments.top < 0:
        raise UserError(f"--top {arguments.top} is below 0")
    given = {name: getattr(arguments, name) for name in Given.__dataclass_fields__}
    model = asked(arguments.model, Given(**given))
    if arguments.kept:
        _kept.check(model)
    found, bad, taken = [], [], set[str]()
    for file in arguments.files:
        try:
            found.append(_heard(model, file, arguments.top, arguments.kept, taken))
        except UserError as error:
            bad.append(str(error))
    if arguments.json:
        print_json({"model": model.name, "files": found})
    else:
        _print_csv(found)
    if bad:
        raise UserError("\n".join([f"{len(bad)} of {len(arguments.files)} files cannot be used:", *bad]))
    return 0


def _heard(model: Asked, file: str, top: int, kept: Path | None, taken: set[str]) -> dict[str, Any]:
    """What is said of one file, its picture drawn."""
    from audioprune import library
    from audioprune.cli import _kept
    from audioprune.facts.lengths import columns_of, windows

    x = library.fbank(file, frames=None, **model.normalised)
    scores = model.scores(x)
    best = sorted(range(len(scores)), key=lambda i: -scores[i])[: top or None]
    columns, whole = columns_of(x.shape[1]), model.model.tokens.time
    found: dict[str, Any] = {
        "file": file,
        "frames": x.shape[1],  # of 10 ms
        "windows": len(windows(columns, whole)) if columns > whole else 1,
        "labels": [{"label": model.labels[i], "score": scores[i]} for i in best],
    }
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        found["kept"] = str(kept / _free(Path(file).stem, _kept.SUFFIX, taken))
        said = f"{model.labels[best[0]]} {scores[best[0]]:.2f}"
        _kept.draw(model, x, Path(file).name, said, Path(found["kept"]))
    return found


def _free(stem: str, suffix: str, taken: set[str]) -> str:
    """A name that no file before it has: files of one name may lie in different folders."""
    name, number = f"{stem}{suffix}", 2
    while name in taken:
        name, number = f"{stem}-{number}{suffix}", number + 1
    taken.add(name)
    return name


def _print_csv(found: list[dict[str, Any]]) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(COLUMNS)
    for one in found:
        for rank, said in enumerate(one["labels"], 1):
            row = (one["file"], one["frames"], one["windows"], rank, said["label"], f"{said['score']:.6f}")
            out.writerow(row)
