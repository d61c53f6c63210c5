"""`audioprune macs --recogniser`: the multiply-accumulates of one clip of speech, itemised."""

from __future__ import annotations

import argparse
import math
from typing import Any

from audioprune import registry
from audioprune.cli._macs_table import beside, itemised
from audioprune.errors import UserError
from audioprune.facts.checks import check_blocks, check_keep_rate
from audioprune.facts.mel import SAMPLE_RATE, WINDOW
from audioprune.facts.recogniser import AUXILIARY, CTC, RECOGNISERS
from audioprune.facts.tokens import PATCH
from audioprune.profiling.speech_macs import NAMES, SECONDS, count

OWN = ("seconds", "policy", "within", "units", "outputs", "strip")  # arguments that are about recognisers alone
CLASSIFIERS: dict[str, Any] = {"dataset": None, "frames": None, "num_classes": None, "method": None, "option": []}
CLASSIFIERS |= {"patch": PATCH, "stride": PATCH}  # arguments that are about classifiers alone, where none is given
WHISPER, HEAD, STRIPS = ("within", "units"), ("outputs",), ("strip",)  # of these, those of some


def register(parser: argparse.ArgumentParser) -> None:
    own = parser.add_argument_group("of a recogniser")
    own.add_argument("--seconds", type=float, help="length of the clip")
    own.add_argument("--policy", help="what prunes the encoder below keep-rate 1 (default: topk)")
    own.add_argument(
        "--within",
        choices=("window", "sound"),
        help="of a Whisper, prune the padded window of 30 s (default), or the sound",
    )
    own.add_argument("--units", type=int, help="of a Whisper: units of the transcript, with the last (default: 30)")
    own.add_argument("--outputs", type=int, help="of a CTC head, the blank among them (default: 29, letters)")
    own.add_argument("--strip", type=int, help="of strips: frames of 10 ms of a token (default: 4)")


def report_of(arguments: argparse.Namespace) -> dict:
    """Everything that is printed, as plain values; UserError for what does not exist or does not go together."""
    name, known = arguments.recogniser, RECOGNISERS | CTC
    if name not in known:
        raise UserError(f"no recogniser named {name!r}{registry.nearest(name, known)}")
    for other, idle in CLASSIFIERS.items():
        if getattr(arguments, other) != idle:
            raise UserError(
                f"--{other.replace('_', '-')} is about a classifier: a recogniser takes --seconds, --policy"
            )
    facts = known[name]
    seconds, policy = _seconds(name, arguments.seconds), _policy(name, arguments)
    shape: dict[str, Any] = {"seconds": seconds}
    for field in OWN[2:]:
        fits = field in _fitting(name)
        if (value := getattr(arguments, field)) is not None:
            if not fits:
                raise UserError(f"--{field} says nothing of {name}")
            if isinstance(value, int) and value < 1:
                raise UserError(f"--{field} {value} is not a positive whole number")
            shape[field] = value
    quarters = tuple(quarter * facts.depth // 4 for quarter in (1, 2, 3))
    blocks = check_blocks(arguments.blocks or quarters, facts.depth)
    keep_rate = check_keep_rate(arguments.keep_rate)
    pruned: dict[str, Any] = {"policy": policy, "keep_rate": keep_rate, "blocks": blocks}
    ours, base = count(name, **shape, **pruned), count(name, **shape)
    return {"recogniser": name, **shape, **pruned, "blocks": list(blocks), **beside(ours, base)}


def text(report: dict) -> str:
    blocks = ", ".join(map(str, report["blocks"]))
    more = "".join(f", {name} {report[name]}" for name in OWN[2:] if name in report)
    title = (
        f"{report['recogniser']} on {report['seconds']:g} s of speech{more}\n"
        f"{report['policy']}, keep-rate {report['keep_rate']:g} after blocks {blocks} (counted from 0)"
    )
    return "\n".join([title, "", *itemised(report, NAMES, "tokens")])


def _fitting(name: str) -> tuple[str, ...]:
    if name in RECOGNISERS:
        return WHISPER
    return (*HEAD, *STRIPS) if CTC[name].stripped else HEAD


def _seconds(name: str, seconds: float | None) -> float:
    if seconds is None:
        raise UserError(f"give --seconds: how long is the clip that {name} hears?")
    least = WINDOW / SAMPLE_RATE
    if not (math.isfinite(seconds) and seconds >= least):
        raise UserError(f"--seconds {seconds:g} is no length of at least {least:g}")
    if name in RECOGNISERS and seconds > SECONDS:
        raise UserError(f"--seconds {seconds:g}: a window of {name} is {SECONDS:g} s")
    return seconds


def _policy(name: str, arguments: argparse.Namespace) -> str:
    policy = arguments.policy or "topk"
    valid = [one for one in registry.policies() if name in CTC or one not in AUXILIARY]
    if policy not in valid:
        raise UserError(f"no policy of {name} named {policy!r}{registry.nearest(policy, valid)}")
    if arguments.policy and arguments.keep_rate == 1 and policy != "none":
        raise UserError(f"{policy} takes no token away at keep-rate 1: give --keep-rate below 1")
    return policy
