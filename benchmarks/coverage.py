"""How often intervals hold the truth, and how wide they are: made studies with few changed clips, and with mAP.

    python -m benchmarks.coverage [--studies 1000]

prints the tables of docs/paper.md 7, in about half an hour on one core.
tests/unit/statistics/test_intervals.py takes parts of it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from audioprune.statistics.bootstrap import Drawn, contrast, draw
from audioprune.statistics.intervals import quantiles

DRAWS = 300
EXPECTED = (0.0, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0)
CLASSES, PREVALENCE, SKILL = 10, 0.15, 1.5  # of mAP: classes, share of clips with each, how far positives are lifted


@dataclass(frozen=True)
class Study:
    """A model, a model and its pruned one, or two such pairs, on the same clips.

    expected  changed clips of a seed, of all terms together
    lost      share of them that is lost and not gained; a second pair has the opposite
    size      clips of a recording
    together  share of changes that take a whole recording, else a clip alone
    seeds     and the spread between them: standard deviation of the number of changed clips over its mean
    terms     1: the unpruned model; 2: a drop; 4: a difference of two drops
    """

    metric: str = "top1"
    clips: int = 100
    expected: float = 0.0
    lost: float = 1.0
    size: int = 1
    together: float = 0.0
    seeds: int = 1
    spread: float = 0.0
    terms: int = 2


@dataclass(frozen=True)
class Found:
    covered: float  # by two-sided 95 % intervals
    upper: float  # by one-sided upper bounds
    lower: float
    width: float  # mean, of the intervals, in points


def simulate(study: Study, studies: int, seed: int = 0) -> Found:
    """The truth of accuracies is known; of mAP it is the mean over all studies: of a test set of this size."""
    rng = np.random.default_rng(seed)
    drawn = [difference(study, rng) for _ in range(studies)]
    truth = np.mean([one.value for one in drawn])
    if study.metric == "top1":
        truth = (2 * study.lost - 1) * study.expected / study.clips if study.terms > 1 else 1.0
    low, lower, upper, high = np.transpose([quantiles(one, (0.025, 0.05, 0.95, 0.975)) for one in drawn])
    truth_low, truth_high = truth - 1e-12, truth + 1e-12
    covered = (low <= truth_high) & (truth_low <= high)
    bounds = float((truth_low <= upper).mean()), float((lower <= truth_high).mean())
    return Found(float(covered.mean()), *bounds, float(100 * (high - low).mean()))


def difference(study: Study, rng: np.random.Generator) -> Drawn:
    """The unpruned model's metric, its drop, or a first drop minus a second, of one made study."""
    made, seed = tables(study, rng), int(rng.integers(2**31))
    terms = [draw(frame, study.metric, draws=DRAWS, seed=seed) for frame in made[: study.terms]]
    return contrast(*zip((1, -1, -1, 1), terms, strict=False))


def tables(study: Study, rng: np.random.Generator) -> list[pd.DataFrame]:
    """Predictions of each term. A changed clip is wrong, or scored without skill, in one model of its pair."""
    shape, pairs = (study.seeds, study.clips), max(1, study.terms // 2)
    often = np.maximum(rng.normal(1, study.spread, study.seeds), 0)[:, None] if study.seeds > 1 else 1.0

    def changed(share: float) -> np.ndarray:  # (seeds, clips)
        rate = study.expected / pairs / study.clips * share * often
        whole = rng.random((study.seeds, study.clips // study.size)) < rate * study.together
        alone = rng.random(shape) < rate * (1 - study.together)
        return np.repeat(whole, study.size, axis=1) | alone

    clips = np.arange(study.clips)
    table = {
        "clip": np.tile(clips, study.seeds),
        "recording": np.tile(clips // study.size, study.seeds),
        "seed": np.repeat(np.arange(study.seeds), study.clips),
    }
    wrong = []
    for lost in (study.lost, 1 - study.lost)[:pairs]:
        gone, came = changed(lost), changed(1 - lost)
        wrong += [came & ~gone, gone & ~came]
    if study.metric == "top1":
        return [pd.DataFrame({**table, "correct": ~own.ravel()}) for own in wrong]
    truth = rng.random((study.clips, CLASSES)) < PREVALENCE
    skilled = rng.normal(size=(*shape, CLASSES)) + SKILL * truth
    labels = [np.flatnonzero(row).tolist() for row in truth] * study.seeds
    found = []
    for own in wrong:
        scores = np.where(own[..., None], rng.normal(size=skilled.shape), skilled).reshape(-1, CLASSES)
        found.append(pd.DataFrame({**table, "labels": labels, "scores": list(scores)}))
    return found


def rows() -> list[tuple[str, Study]]:
    """What is told of in docs/paper.md 7."""
    sizes = (100, 168, 2000)
    return [
        *((f"{n} clips, lost alone", Study(clips=n)) for n in sizes),
        *((f"{n} clips, 7 of 10 lost", Study(clips=n, lost=0.7)) for n in sizes),
        *((f"{n} clips, whole recordings of 2", Study(clips=n, size=2, together=1)) for n in sizes),
        *((f"{n} clips, alone in recordings of 2", Study(clips=n, size=2)) for n in sizes),
        ("100 clips, 4 terms", Study(clips=100, terms=4)),
        ("100 clips, 3 seeds, spread 0.3", Study(clips=100, seeds=3, spread=0.3)),
        ("168 clips, half in whole recordings of 2, 3 seeds, 4 terms", Study("top1", 168, 0, 1, 2, 0.5, 3, 0.3, 4)),
        ("mAP, 100 clips", Study("map")),
        ("mAP, 168 clips, whole recordings of 2", Study("map", 168, size=2, together=1)),
        *((f"mAP itself, {n} clips", Study("map", n, terms=1)) for n in sizes),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1000, help="made studies for each number of changed clips")
    parser.add_argument("--only", default="", help="rows whose name holds this")
    options = parser.parse_args()
    print("| | " + " | ".join(f"{expected:g}" for expected in EXPECTED) + " | least | one-sided |")
    print("|---" * (len(EXPECTED) + 3) + "|")
    for name, study in rows():
        if options.only in name:
            several = EXPECTED if study.terms > 1 else EXPECTED[:1]
            found = [simulate(replace(study, expected=own), options.studies) for own in several]
            cells = [f"{100 * one.covered:.1f} ({one.width:.2f})" for one in found]
            cells += [""] * (len(EXPECTED) - len(found))
            cells += [f"{100 * min(one.covered for one in found):.1f}", f"{100 * min(one.upper for one in found):.1f}"]
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
