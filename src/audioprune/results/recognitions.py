"""What pruned recognisers got wrong: word error rates of a study's transcripts, and their paired differences.

An arm is how clips were transcribed: a policy at a keep-rate, at some blocks, of the whole window or within the sound,
off the shelf or adapted; its cells of kind `transcribe` differ in nothing but the seed. Errors are pooled over clips:
all edits over all words. Speakers are what is drawn anew for intervals, exchanged for p-values and halved for what has
to be chosen; of a dataset whose speakers are all there are, recordings are drawn and exchanged within each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from audioprune.facts.recogniser import AT_INPUT, AUXILIARY, CTC
from audioprune.results.estimate import DRAWS, Absent, Estimate, combined
from audioprune.results.study import Result, Results

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.cells.query import Asked, Cells
    from audioprune.statistics.bootstrap import Drawn
    from audioprune.statistics.units import Unit

STATIC = ("stride", "pool")  # policies that look at nothing, at the blocks where the others rank
OFF_THE_SHELF, ADAPTED = "off the shelf", "adapted"
USUAL = {OFF_THE_SHELF: "nearest", ADAPTED: "carried"}  # what pruned columns take, of a recogniser with a CTC head
ONE = "one speaker: no interval"


@dataclass(frozen=True)
class Place:
    """What arms that are compared have in common; the unpruned arm belongs to every place of its recogniser."""

    recogniser: str
    dataset: str
    trained: str
    within: str
    blocks: tuple[int, ...]

    def __str__(self) -> str:
        where = {"sound": "tokens within the sound, ", "window": "tokens of the whole window, "}.get(self.within, "")
        several = "blocks" if len(self.blocks) > 1 else "block"
        return (
            f"{self.recogniser} on {self.dataset}, {self.trained}: {where}{several} {', '.join(map(str, self.blocks))}"
        )


@dataclass(frozen=True)
class Arm:
    """One way of transcribing, and its cells, one for each seed."""

    place: Place
    policy: str  # with @0 where it acts before block 0
    keep_rate: float
    budget: str
    restore: str  # what pruned columns take, of a recogniser with a CTC head; empty where nothing is restored
    strip: int  # frames of a token, of recognisers whose tokens are strips; 0 of others
    thinned: tuple[str, int]  # padding alone: which tokens of it stay, and how many; ("", 0) where it is whole
    margin: int | None  # tokens of silence behind a clip that is not padded to a window; None: padded
    fallback: bool  # sampled anew at rising temperatures where the library distrusts a transcript
    cells: tuple[Asked, ...]

    @property
    def made(self) -> tuple[Result, ...]:
        return tuple(one for one in self.cells if isinstance(one, Result) and one.ok)

    @property
    def why(self) -> str:
        """Why none of its cells is there."""
        return "" if self.made else next((one.why for one in self.cells if isinstance(one, Result)), "not made yet")

    @property
    def plain(self) -> bool:
        """Whether it differs from others of its place in policy, keep-rate and budget alone."""
        return self.restore in ("", USUAL[self.place.trained]) and not self.about_padding

    @property
    def about_padding(self) -> bool:
        """Whether the padding is what it changes, or what is done about its transcripts."""
        return bool(self.thinned[0]) or self.fallback or self.margin is not None


def arms(study: Cells) -> list[Arm]:
    """All arms of a study, planned or made, in its order."""
    found: dict[Arm, list[Asked]] = {}
    for cell in study.cells("transcribe"):
        found.setdefault(_arm_of(cell), []).append(cell)
    return [replace(arm, cells=tuple(cells)) for arm, cells in found.items()]


def _arm_of(cell: Asked) -> Arm:
    """The arm that a cell belongs to, without its cells."""
    own, trained = cell.settings, cell.inputs.get("recognise")
    state = ADAPTED if trained is not None and "recognise" in trained.inputs else OFF_THE_SHELF
    within = "" if trained is not None else own.within
    strip = trained.settings.strip if trained is not None and CTC[own.recogniser].stripped else 0
    pruned = own.policy != "none" or own.thin
    place = Place(own.recogniser, own.dataset, state, within, own.blocks if pruned else ())
    policy = own.policy + AT_INPUT * own.at_input
    margin = own.margin if own.padding == "none" else None
    thinned = own.thin, own.thin_to
    return Arm(place, policy, own.keep_rate, own.budget, own.restore, strip, thinned, margin, own.fallback, ())


def places(every: Iterable[Arm]) -> dict[Place, list[Arm]]:
    """Pruned arms by place, in the order of the study; without those that differ in more than policy and budget."""
    found: dict[Place, list[Arm]] = {}
    for arm in every:
        if arm.policy != "none" and arm.plain:
            found.setdefault(arm.place, []).append(arm)
    return found


def unpruned(every: Iterable[Arm], place: Place) -> Arm | None:
    """The unpruned arm of a place: of the finest strips, where a study has several."""
    own = [one for one in whole(every, place) if one.place.trained == place.trained]
    return min(own, key=lambda one: one.strip, default=None)


def coarser(every: Iterable[Arm], place: Place) -> list[Arm]:
    """Unpruned arms whose tokens are longer from the start; adapted ones for a place of those, if there are any."""
    own = whole(every, place)
    least = min((one.strip for one in own), default=0)
    alike = [one for one in own if one.place.trained == place.trained and one.strip > least]
    return alike or [one for one in own if one.strip > least]


def whole(every: Iterable[Arm], place: Place) -> list[Arm]:
    """Unpruned arms of the recogniser and the dataset of a place."""
    same = (place.recogniser, place.dataset)
    return [a for a in every if a.policy == "none" and a.plain and (a.place.recogniser, a.place.dataset) == same]


def unable(every: Iterable[Arm], place: Place) -> list[Arm]:
    """Adapted arms of policies that cannot run off the shelf: the published checkpoint lacks what they rank by."""
    if place.trained != OFF_THE_SHELF or place.recogniser not in CTC or not CTC[place.recogniser].official:
        return []
    beside = replace(place, trained=ADAPTED)
    return [one for one in every if one.policy in AUXILIARY and one.plain and one.place == beside]


def at(own: Iterable[Arm], policy: str, keep_rate: float, budget: str = "fixed") -> Arm | None:
    """The arm of a policy at a keep-rate, among those of one place."""
    wanted = (policy, keep_rate, budget)
    return next((one for one in own if (one.policy, one.keep_rate, one.budget) == wanted), None)


# --- transcripts, one row for each clip and seed ------------------------------------------------------------------


def clips(results: Results, arm: Arm) -> pd.DataFrame:
    """One row for each clip of each seed, with numerator and denominator of its word error rate.

    `recording` is what is drawn anew: the speaker, whatever a recording was cut from, but for a dataset whose facts say
    that recordings are drawn within each speaker.
    """
    return results.cached(f"clips {arm.cells[0].settings} {arm.place} {arm.strip}", partial(_clips, arm=arm))


def _clips(results: Results, arm: Arm) -> pd.DataFrame:
    import pandas as pd

    parts = [cell.frame().assign(seed=seed_of(cell)) for cell in arm.made]
    frame = pd.concat(parts, ignore_index=True)
    speakers = frame["speaker"].where(frame["speaker"] != "", frame["recording"])
    drawn = frame["recording"] if unit(results, arm.place).within else speakers
    return frame.assign(speaker=speakers, recording=drawn, numerator=frame["errors"], denominator=frame["words"])


def seed_of(cell: Asked) -> int:
    trained = cell.inputs.get("recognise")
    return 0 if trained is None else trained.settings.seed


def unit(results: Results, place: Place) -> Unit:
    """What is drawn anew of a dataset."""
    from audioprune.statistics.units import unit_of

    return unit_of(results.dataset(place.dataset))


def without_runaways(*frames: pd.DataFrame) -> list[pd.DataFrame]:
    """The clips that ran away in none of several transcripts, of each."""
    away = {clip for frame in frames for clip in frame.loc[frame["runaway"], "clip"]}
    return [frame[~frame["clip"].isin(away)] for frame in frames]


# --- estimates, in percent and in points ---------------------------------------------------------------------------


def wer(results: Results, arm: Arm | None) -> Estimate | Absent:
    """Word error rate in percent."""
    if arm is None or not arm.made:
        return Absent("not planned" if arm is None else arm.why)
    return rate(results, clips(results, arm), arm)


def rate(results: Results, frame: pd.DataFrame, *of: Arm) -> Estimate:
    """Errors over words of any transcripts of the clips of an arm, in percent."""
    return estimated(drawn(results, frame, of[0].place), frame, *of)


def difference(results: Results, first: Arm | None, second: Arm | None) -> Estimate | Absent:
    """Error rate of the first minus that of the second, in points, over the seeds that both have."""
    for one in (first, second):
        if isinstance(found := wer(results, one), Absent):
            return found
    assert first is not None
    assert second is not None
    return against(results, first, clips(results, second), second)


def against(results: Results, arm: Arm, frame: pd.DataFrame, *of: Arm) -> Estimate:
    """Error rate of an arm minus that of other transcripts (of arms `of`) of the same clips, in points."""
    own, other = paired(clips(results, arm), frame)
    return combined((1, rate(results, own, arm, *of)), (-1, rate(results, other, arm, *of)))


def paired(first: pd.DataFrame, second: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both, of the seeds that both have."""
    seeds = set(first["seed"]) & set(second["seed"])
    own, other = (frame[frame["seed"].isin(seeds)] for frame in (first, second))
    return own, other


def drawn(results: Results, frame: pd.DataFrame, place: Place) -> Drawn:
    """Numerator over denominator in percent, in every draw."""
    from audioprune.statistics.bootstrap import contrast, draw

    return contrast((100, draw(frame, "ratio", unit=unit(results, place), draws=DRAWS)))


def estimated(found: Drawn, frame: pd.DataFrame, *of: Arm) -> Estimate:
    """What is drawn, as exhibits show it. Of one speaker there is no interval, since no other was ever drawn."""
    alone = found.design.clusters < 2
    seeds, cells = frame["seed"].nunique(), tuple(dict.fromkeys(cell.path for arm in of for cell in arm.made))
    missing = sum(len(one.cells) - len(one.made) for one in of)
    left = f"{missing} of {sum(len(one.cells) for one in of)} runs are missing" if missing else ""
    n = frame["clip"].nunique()
    return Estimate(found.value, None if alone else found, n, seeds, seeds, cells, left_out=left, note=ONE * alone)


def best_static(results: Results, own: Mapping[str, Arm]) -> tuple[pd.DataFrame, dict[int, str]]:
    """The static policy with fewer errors on the one half of the speakers, on the clips of the other, and the reverse.

    own {policy: arm} of one place and keep-rate -> (one row for each clip, {half: the policy chosen for it}).
    """
    import pandas as pd

    from audioprune.statistics.halves import halves

    frames = {policy: clips(results, arm) for policy, arm in own.items()}
    shared = set.intersection(*(set(frame["seed"]) for frame in frames.values()))
    frames = {policy: frame[frame["seed"].isin(shared)] for policy, frame in frames.items()}
    half = halves(next(iter(frames.values()))["speaker"])
    parts, chosen = [], {}
    for judged in (0, 1):
        seen = {name: f.loc[f["speaker"].map(half) != judged, "errors"].sum() for name, f in frames.items()}
        chosen[judged] = min(seen, key=lambda name: seen[name])
        frame = frames[chosen[judged]]
        parts.append(frame[frame["speaker"].map(half) == judged])
    return pd.concat(parts).sort_index(), chosen


def said_of(chosen: Mapping[int, str]) -> str:
    """'stride'; 'stride, pool' where the halves differ."""
    return ", ".join(dict.fromkeys(chosen.values()))


def shared_seeds(frames: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """All, of the seeds that all have."""
    seeds = set.intersection(*(set(frame["seed"]) for frame in frames))
    return [frame[frame["seed"].isin(seeds)] for frame in frames]


def between(results: Results, first: pd.DataFrame, second: pd.DataFrame, *of: Arm) -> Estimate:
    """Error rate of the first transcripts minus that of the second, of the same clips, in points."""
    return combined((1, rate(results, first, *of)), (-1, rate(results, second, *of)))
