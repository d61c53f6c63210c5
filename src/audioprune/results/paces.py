"""How fast recognisers are on clips of their own lengths: what a cell's rounds say, with what was computed for nothing.

Times are medians and quartiles over the runs; a speed-up is a ratio that is taken run by run. Counts are the same in
every run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audioprune.profiling.batchings import ARM, Arm, arms_of
from audioprune.results.estimate import Absent, Estimate

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.results import recognitions
    from audioprune.results.study import Result, Results
    from audioprune.settings.costs import PaceSettings

BASELINE, ALONE = Arm("padded", "none", 1.0), Arm("single", "none", 1.0)
STAGES = ("features_s", "encoder_s", "decoder_s")
TIMED = (
    "pruning_speed_up",
    "clips_per_s",
    "audio_per_s",
    "tokens_per_s",
    "speed_up",
    "encoder_audio_per_s",
    "encoder_speed_up",
)


@dataclass(frozen=True)
class Paced:
    """What is known of one way to batch, with one policy at one keep-rate."""

    arm: Arm
    timed: dict[str, Estimate | Absent]  # TIMED; audio_per_s are seconds of sound a second: RTFx
    counted: dict[str, float]  # per_batch clips; shares of tokens and MACs; MACs a second of sound


def paces(timing: Result) -> list[Paced]:
    """Every arm of a cell; those of one that was not made say why."""
    if not timing.ok:
        return [Paced(arm, dict.fromkeys(TIMED, Absent(timing.why)), {}) for arm in arms_of(timing.settings)]
    return of_tables(
        timing.settings, timing.frame(), timing.frame("batches.csv"), timing.record["results"], (timing.path,)
    )


def of_tables(
    own: PaceSettings, frame: pd.DataFrame, batches: pd.DataFrame, about: Mapping[str, Any], cells: tuple[str, ...]
) -> list[Paced]:
    """Every arm, from the tables of a timing (profiling.pace.Timed) and from the cells that hold them."""
    counts, grouped = frame.groupby([*ARM]).first(), batches.groupby("batching")
    seconds, encoder, base = _seconds(frame, *STAGES), _seconds(frame, "encoder_s"), counts.loc[BASELINE]
    amounts = {"clips": about["clips"], "audio": about["audio_seconds"], "tokens": about["tokens"]}
    found = []
    for arm in arms_of(own):
        count, batched = counts.loc[arm], grouped.get_group(arm.batching)
        timed = {f"{name}_per_s": amount / seconds[arm] for name, amount in amounts.items()}
        timed |= {"speed_up": seconds[BASELINE] / seconds[arm]}
        timed |= {"pruning_speed_up": seconds[Arm(arm.batching, "none", 1.0)] / seconds[arm]}
        timed |= {"encoder_audio_per_s": about["audio_seconds"] / encoder[arm]}
        timed |= {"encoder_speed_up": encoder[BASELINE] / encoder[arm]}
        executed = count["encoder_macs"] + count["decoder_macs"]
        useful = count["useful_encoder_macs"] + count["useful_decoder_macs"]
        counted = {
            "per_batch": batched["clips"].mean(),
            "waste": 100 * (1 - batched["valid"].sum() / batched["computed"].sum()),
            "executed": executed / about["audio_seconds"] / 1e9,
            "useful": useful / about["audio_seconds"] / 1e9,
            "wasted_macs": 100 * (1 - useful / executed),
            "encoder_mac_ratio": base["encoder_macs"] / count["encoder_macs"],
        }
        found.append(Paced(arm, {name: _quartiles(values, cells) for name, values in timed.items()}, counted))
    return found


def real_time(results: Results, arm: recognitions.Arm) -> dict[str, Estimate] | Absent:
    """{"rtfx", "rtfx_batched"}: seconds of sound in a second, one clip at a time and in an arm's fastest batches.

    Absent where no cell has timed it; of arms that change the padding, and of thresholds, none does.
    """
    cell = timing(results, arm)
    if isinstance(cell, Absent):
        return cell
    own = [one for one in paces(cell) if (one.arm.policy, one.arm.keep_rate) == (arm.policy, arm.keep_rate)]
    speeds = {one.arm.batching: found for one in own if isinstance(found := one.timed["audio_per_s"], Estimate)}
    if not speeds:
        return Absent(f"{arm.policy} at {arm.keep_rate:g} was not timed")
    single, others = speeds.pop("single", None), [*speeds.values()]
    rates = {"rtfx": single} if single else {}
    return rates | ({"rtfx_batched": max(others, key=lambda one: one.value)} if others else {})


def speed_up(results: Results, arm: recognitions.Arm) -> Estimate | Absent:
    """How many times faster than the unpruned model, from end to end, one clip at a time: median and quartiles."""
    cell = timing(results, arm)
    if isinstance(cell, Absent):
        return cell
    seconds, own = _seconds(cell.frame(), *STAGES), Arm("single", arm.policy, arm.keep_rate)
    if own not in seconds or ALONE not in seconds:
        return Absent(f"{arm.policy} at {arm.keep_rate:g} was not timed one clip at a time")
    return _quartiles(seconds[ALONE] / seconds[own], (cell.path,))


def timing(results: Results, arm: recognitions.Arm) -> Result | Absent:
    """The cell that has timed an arm: of those that prune the whole window, at its blocks."""
    place = arm.place
    if not arm.plain or arm.budget != "fixed":
        return Absent("arms of this kind are not timed")
    if arm.policy != "none" and (place.within or "window") != "window":
        return Absent("what prunes within the sound is not timed: windows of one batch keep as many tokens")
    planned = [
        cell
        for cell in results.cells("pace", recogniser=place.recogniser, dataset=place.dataset)
        if arm.policy == "none" or cell.settings.blocks == place.blocks
    ]
    if not planned:
        return Absent(f"the study {results.study} times no such recogniser")
    found = next((cell for cell in planned if cell.ok), None)
    return Absent(planned[0].why) if found is None else found


def _seconds(frame: pd.DataFrame, *stages: str) -> pd.DataFrame:
    """Seconds of some stages together, one row a run, one column an arm."""
    summed = frame.assign(seconds=frame[[*stages]].sum(axis=1))
    return summed.pivot(index="run", columns=[*ARM], values="seconds")


def _quartiles(values: pd.Series, cells: tuple[str, ...]) -> Estimate:
    low, middle, high = values.quantile([0.25, 0.5, 0.75])
    return Estimate(middle, None, len(values), 1, 1, cells, quartiles=(low, high))
