"""`audioprune macs`: the multiply-accumulates of one clip, itemised, and their share of the unpruned model's."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audioprune import registry
from audioprune.cli._output import columns, print_json
from audioprune.config_file import load
from audioprune.errors import UserError
from audioprune.facts.checks import check_whole
from audioprune.facts.dataset import Dataset
from audioprune.facts.method import Value
from audioprune.facts.tokens import BLOCKS, PATCH
from audioprune.planning.stages import dataset_facts
from audioprune.profiling.macs import ITEMS, Macs, count, patches_of

CONFIG = Path("config.yaml")


def register(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("macs", help="exact MACs of one clip, itemised", description=__doc__)
    parser.add_argument("--backbone", required=True, help="such as audiomae-b or ast-tiny")
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
        default=BLOCKS,
        help=f"pruning blocks, counted from 0 (default: {','.join(map(str, BLOCKS))})",
    )
    parser.add_argument("--patch", type=int, default=PATCH, help=f"side of a patch (default: {PATCH})")
    parser.add_argument("--stride", type=int, default=PATCH, help=f"step between patches (default: {PATCH})")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
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
        blocks=arguments.blocks,
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
    remaining = 100 * ours.total / base.total
    return {
        "backbone": backbone,
        "dataset": dataset,
        **shape,
        "patches": patches_of(frames, patch, stride),
        "method": method,
        "options": options,
        "keep_rate": keep_rate,
        "blocks": list(blocks),
        **_numbers_of(ours),
        "per_block": ours.per_block,
        "unpruned": _numbers_of(base),
        "pct_remaining": remaining,
        "pct_reduction": 100 - remaining,
    }


def _numbers_of(macs: Macs) -> dict:
    return {"items": macs.items, "total": macs.total, "gmacs": macs.gmacs}


def _text(report: dict) -> str:
    base = report["unpruned"]
    method = " ".join([report["method"], *[f"{name}={value}" for name, value in sorted(report["options"].items())]])
    title = (
        f"{report['backbone']} on {report['dataset'] or 'an input'}: {report['frames']} frames, "
        f"{report['patches']} patches, {report['num_classes']} classes\n{method}, keep-rate {report['keep_rate']:g} "
        f"after blocks {', '.join(map(str, report['blocks']))} (counted from 0)"
    )
    rows = [
        [
            ITEMS[item],
            f"{macs:,}",
            f"{100 * macs / report['total']:.2f}",
            f"{base['items'][item]:,}",
            _share(macs, base["items"][item]),
        ]
        for item, macs in report["items"].items()
        if macs or base["items"][item]
    ]
    rows.append(
        ["total", f"{report['total']:,}", "100.00", f"{base['total']:,}", _share(report["total"], base["total"])]
    )
    header = ["item", "MACs", "% of total", "unpruned MACs", "% remaining"]
    tokens = [report["per_block"][0]["tokens_in"]]
    tokens += [row["tokens_out"] for row in report["per_block"] if row["tokens_out"] != row["tokens_in"]]
    return "\n".join(
        [
            title,
            "",
            columns(header, rows, right=(1, 2, 3, 4)),
            "",
            f"tokens, extra ones included: {' -> '.join(map(str, tokens))}",
            f"{report['gmacs']:.4f} GMAC of {base['gmacs']:.4f} GMAC for one clip",
            f"remaining: {report['pct_remaining']:.2f} % of the unpruned model's MACs; "
            f"reduction: {report['pct_reduction']:.2f} %",
        ]
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}" if whole else "-"


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
