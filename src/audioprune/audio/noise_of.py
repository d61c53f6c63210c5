"""The noise of a clip: one realisation for each kind and draw, whatever the level, the model, the fold and the batch.

It is seeded by (seed, kind, draw, clip). What is made of other clips is found on a ring: clips stand there by the
digest of their names, and from the place of (seed, kind, draw, clip) on the first that may be used are taken. So a clip
that is not taken can be there or not, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from audioprune.audio import disturb
from audioprune.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

SILENT = 10  # sources without power that are passed over


@dataclass(frozen=True, eq=False)
class Pool:
    """Clips that noise may be made of: some rows of a waveform store."""

    dataset: str
    clips: pd.DataFrame
    rows: np.ndarray
    waveform: Callable[[int], np.ndarray]
    mixed_by: str = ""  # what separates the recordings of a clip that mixes several

    @cached_property
    def _ring(self) -> list[tuple[int, int]]:
        names = self.clips["clip"].to_numpy()
        return sorted((disturb.digest(names[row]), int(row)) for row in self.rows)

    def near(self, place: int, fits: Callable[[Any], bool]) -> Iterator[np.ndarray]:
        """Waveforms of clips that fit, without their means, from a place on the ring on; silent ones are passed over.

        UserError after ten silent ones.
        """
        from bisect import bisect

        silent, first = 0, bisect(self._ring, (place, 0))
        for _, row in self._ring[first:] + self._ring[:first]:
            if fits(self.clips.iloc[row]):
                found = disturb.centred(self.waveform(row))
                if disturb.power_of(found):
                    yield found
                elif (silent := silent + 1) == SILENT:
                    raise UserError(f"{self.dataset}: {SILENT} clips that noise is made of are silent; remove them")

    def recordings(self, clip: Any) -> set[str]:
        named = clip["recording"] or clip["clip"]
        return set(named.split(self.mixed_by) if self.mixed_by else [named])


@dataclass(frozen=True, eq=False)
class Noise:
    """Where the noise of a dataset's clips comes from; `pools` by kind, for those that are made of clips."""

    seed: int
    talkers: int
    pools: Mapping[str, Pool]
    own: str  # the dataset whose clips are disturbed

    def of(self, kind: str, draw: int, clip: Any, length: int) -> np.ndarray:
        """v (length,) of a clip, a row of its store; of `reverb` and `gain`, which add none, zeros."""
        rng = self.rng(kind, draw, clip)
        if kind in ("white", "pink"):
            return disturb.white(rng, length) if kind == "white" else disturb.pink(rng, length)
        if kind not in self.pools:
            return np.zeros(length)
        found = self._sources(kind, draw, clip)
        for _ in range(SILENT):  # a piece of a clip may be silent where the clip is not
            v = disturb.babble(rng, found, length) if kind == "babble" else disturb.looped(rng, found[0], length)
            if disturb.power_of(v):
                return v
        raise UserError(f"{self.own}: the noise `{kind}` of the clip {clip['clip']!r} is silent wherever it is cut")

    def _sources(self, kind: str, draw: int, clip: Any) -> list[np.ndarray]:
        """The clips that it is made of: one, or several voices."""
        pool, wanted = self.pools[kind], self.talkers if kind == "babble" else 1
        place = disturb.digest(self.seed, kind, draw, clip["clip"])
        found = [*islice(pool.near(place, lambda other: self.fits(kind, clip, other)), wanted)]
        if len(found) < wanted:
            raise UserError(
                f"{self.own}: the noise `{kind}` of the clip {clip['clip']!r} needs {wanted} clips of {pool.dataset}, "
                f"and {len(found)} of its {len(pool.rows)} {RULES[kind]}; leave the kind out under `robustness`, or "
                "name another dataset there"
            )
        return found

    def rng(self, kind: str, draw: int, clip: Any) -> np.random.Generator:
        return np.random.default_rng(disturb.digest(self.seed, kind, draw, clip["clip"]))

    def fits(self, kind: str, clip: Any, other: Any) -> bool:
        """Whether a clip may be noise to another: never one of its recording, nor of what it must not share."""
        pool = self.pools[kind]
        if pool.dataset != self.own:
            return True
        if pool.recordings(clip) & pool.recordings(other):
            return False
        if kind == "babble":
            return not clip["speaker"] or bool(clip["speaker"] != other["speaker"])
        return not set(map(int, clip["labels"])) & set(map(int, other["labels"]))


RULES = {
    "babble": "are of other recordings and, where speakers are known, of other speakers",
    "other": "share neither label nor recording with it",
    "environment": "share neither label nor recording with it",
}
