"""`audioprune macs`: the multiply-accumulates of one clip, itemised, and their share of the unpruned model's."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audioprune import registry
from audioprune.cli import _macs_recogniser
from audioprune.cli._macs_table import beside, itemised
from audioprune.cli._output import print_json
from audioprune.config.file import load
from audioprune.errors import UserError
from audioprune.facts.checks import check_whole
from audioprune.facts.dataset import Dataset
from audioprune.facts.method import Value
from audioprune.facts.tokens import BLOCKS, PATCH
from audioprune.planning.stages import dataset_facts
from audioprune.profiling.macs import ITEMS, count, patches_of

CONFIG = Path("config.yaml")


def register(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("macs", help="exact MACs of one clip, itemised", description=__doc__)
    model = parser.add_mutually_exclusive_group(required=True)
    model.add_argument("--backbone", help="such as audiomae-b or ast-tiny")
    model.add_argument("--recogniser", help="instead: such as whisper-base, wav2vec2-b or strips-tiny")
    parser.add_argument("--dataset", help="gives frames and classes: esc50, or a dataset of your own in config.yaml")
    parser.add_argument("--frames", type=int, help="length of the input, in frames of 10 ms, instead of the dataset's")
    parser.add_argument("--num-classes", type=int, help="outputs of the head, instead of the dataset's classes")
    parser.add_argument(
        "--keep-rate", type=float, default=1.0, help="share of tokens that each pruning block keeps (default: 1)"
    )
    parser.add_argument("--method", help="pruning method (default: topk)")
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="of the method, such as score=cls or r=20"
    )
    parser.add_argument(
        "--blocks",
        type=_numbers,
        help=f"pruning blocks, counted from 0 (default: {','.join(map(str, BLOCKS))}; recogniser: after each quarter)",
    )
    parser.add_argument("--patch", type=int, default=PATCH, help=f"side of a patch (default: {PATCH})")
    parser.add_argument("--stride", type=int, default=PATCH, help=f"step between patches (default: {PATCH})")
    _macs_recogniser.register(parser)
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    if arguments.recogniser:
        report = _macs_recogniser.report_of(arguments)
        print_json(report) if arguments.json else print(_macs_recogniser.text(report))
        return 0
    if given := [name for name in _macs_recogniser.OWN if getattr(arguments, name) is not None]:
        raise UserError(f"--{given[0]} is about a recogniser: give --recogniser instead of --backbone")
    frames, num_classes = _input(arguments.dataset, arguments.frames, arguments.num_classes)
    options = dict(map(_option, arguments.option))
    if arguments.method and (why := _idle(arguments.method, arguments.keep_rate, options)):
        raise UserError(why)
    report = report_of(
        arguments.backbone,
        arguments.dataset,
        frames=frames,
        num_classes=num_classes,
        method=arguments.method or "topk",
        keep_rate=arguments.keep_rate,
        blocks=arguments.blocks or BLOCKS,
        options=options,
        patch=arguments.patch,
        stride=arguments.stride,
    )
    if arguments.json:
        print_json(report)
    else:
        print(_text(report))
    return 0


def _input(dataset: str | None, frames: int | None, num_classes: int | None) -> tuple[int, int]:
    """Frames and classes: as given, else those of the dataset, which is built in or in config.yaml."""
    facts = None if dataset is None else _facts(dataset)
    if facts:
        frames = facts.frames if frames is None else frames
        num_classes = (facts.num_classes or None) if num_classes is None else num_classes
    if facts and num_classes is None:
        raise UserError(f"{dataset} has no classes, so the cost of its head is not known: give --num-classes")
    if frames is None or num_classes is None:
        raise UserError("give --dataset, or both --frames and --num-classes")
    check_whole(frames=frames, num_classes=num_classes)
    return frames, num_classes


def _facts(dataset: str) -> Dataset:
    if dataset in registry.names("datasets"):
        return registry.dataset(dataset)
    own = load().datasets if CONFIG.is_file() else {}
    if dataset not in own:
        raise UserError(f"no dataset named {dataset!r}{registry.nearest(dataset, (*registry.names('datasets'), *own))}")
    return dataset_facts(dataset, own)


def _idle(method: str, keep_rate: float, options: Mapping[str, Value]) -> str:
    """Why a method that is asked for by name would prune nothing, if so."""
    if keep_rate != 1 or method == "none" or method not in registry.names("pruning"):
        return ""
    constant = registry.method(method).constant
    if registry.method(method).is_constant(options):
        return ""
    how = f"--keep-rate below 1, or --option {constant}=20" if constant else "--keep-rate below 1"
    return f"{method} prunes nothing at keep-rate 1: give {how}"


def report_of(
    backbone: str,
    dataset: str | None,
    *,
    frames: int,
    num_classes: int,
    method: str,
    keep_rate: float,
    blocks: Sequence[int],
    options: Mapping[str, Value],
    patch: int,
    stride: int,
) -> dict:
    """Everything that is printed, as plain values; UserError for a name that does not exist."""
    shape: dict[str, Any] = {"frames": frames, "num_classes": num_classes, "patch": patch, "stride": stride}
    ours = count(backbone, method=method, keep_rate=keep_rate, blocks=blocks, options=options, **shape)
    base = count(backbone, method="none", **shape)
    return {
        "backbone": backbone,
        "dataset": dataset,
        **shape,
        "patches": patches_of(frames, patch, stride),
        "method": method,
        "options": options,
        "keep_rate": keep_rate,
        "blocks": list(blocks),
        **beside(ours, base),
    }


def _text(report: dict) -> str:
    method = " ".join([report["method"], *[f"{name}={value}" for name, value in sorted(report["options"].items())]])
    title = (
        f"{report['backbone']} on {report['dataset'] or 'an input'}: {report['frames']} frames, "
        f"{report['patches']} patches, {report['num_classes']} classes\n{method}, keep-rate {report['keep_rate']:g} "
        f"after blocks {', '.join(map(str, report['blocks']))} (counted from 0)"
    )
    return "\n".join([title, "", *itemised(report, ITEMS, "tokens, prefix ones included")])


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(number) for number in text.split(",") if number)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers such as 3,6,9") from None


def _option(text: str) -> tuple[str, str | int | float | bool]:
    """'score=cls' -> ('score', 'cls'); 'r=20' -> ('r', 20)."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UserError(f"--option {text!r} is not NAME=VALUE, such as score=cls")
    if value in ("true", "false"):
        return name, value == "true"
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value
