"""Mixtures of two ESC-10 clips of different classes and the same fold: a small multi-label task with 5 folds.

In every round each clip of a fold is used once, so all clips and classes weigh the same; no recording crosses a fold.
"""

from __future__ import annotations

from pathlib import Path

from audioprune.datasets import esc10
from audioprune.datasets._draws import shuffled
from audioprune.datasets._options import options_of
from audioprune.errors import UserError
from audioprune.facts.dataset import Clip, Dataset

FACTS = Dataset(
    name="esc10mix",
    task="multilabel",
    classes=esc10.FACTS.classes,
    frames=512,
    source="esc10",
    folds=5,
    loss="bce",
    metric="map",
    train_clips=640,
    test_clips=160,
    mixed_by="+",  # every clip is used in several mixtures
)


def switches(options: dict) -> dict:
    """Options: rounds (4; each gives 40 mixtures a fold), seed (0)."""
    return options_of("esc10mix", options, rounds=4, seed=0)


def clips(root: Path, options: dict) -> list[Clip]:
    """One clip for each mixture, fold by fold."""
    chosen = switches(options)
    single = esc10.clips(root, {})
    found = []
    for fold in range(1, FACTS.folds + 1):
        members = {clip.id: clip for clip in single if clip.fold == fold}
        used: set[frozenset[str]] = set()
        for number in range(chosen["rounds"]):
            pairs = _pairs(members, used, chosen["seed"], fold, number)
            used |= {frozenset((a.id, b.id)) for a, b in pairs}
            found += [_mixture(a, b) for a, b in pairs]
    return found


def _pairs(members: dict[str, Clip], used: set[frozenset[str]], *what: str | int) -> list[tuple[Clip, Clip]]:
    """All clips of a fold in new pairs of different classes; the last one is left over where their number is odd."""
    for attempt in range(1000):
        order = [members[name] for name in shuffled(members, *what, attempt)]
        pairs = []
        while len(order) > 1:
            first = order.pop(0)
            fits = (c for c in order if c.labels != first.labels and frozenset((c.id, first.id)) not in used)
            other = next(fits, None)
            if other is None:
                break
            order.remove(other)
            pairs.append((first, other))
        if len(order) < 2 and len(pairs) == len(members) // 2:
            return pairs
    raise UserError("esc10mix: a fold cannot be paired across classes: clips are missing, or there are too many rounds")


def _mixture(a: Clip, b: Clip) -> Clip:
    a, b = sorted((a, b), key=lambda clip: clip.id)
    return Clip(
        id=f"{a.id}+{b.id}",
        path=a.path,
        labels=tuple(sorted(a.labels + b.labels)),
        fold=a.fold,
        recording=f"{a.recording}+{b.recording}",
        parts=(a.path, b.path),
        join="mix",
    )
