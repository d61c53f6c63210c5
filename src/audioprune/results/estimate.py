"""One quantity as exhibits and claims show it: a value with its interval, its draws, and the cells it rests on.

Whatever is pooled, contrasted or averaged in `results` ends in an Estimate, and estimates are combined here and nowhere
else. The draws are those of statistics.bootstrap: equal designs are the same clips and seeds in the same draws, so that
a combination is paired clip by clip.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from audioprune.wording import number

if TYPE_CHECKING:
    import numpy as np

    from audioprune.statistics.bootstrap import Design, Drawn
    from audioprune.statistics.intervals import Way

DRAWS, LEVEL = 1000, 0.95  # of the bootstrap
DRAWING = f"a bootstrap over source recordings crossed with seeds, {DRAWS} draws, folds pooled"
INTERVAL = f"95 %, adjusted for few changed clips (Bonett and Price), the variance by {DRAWING}"
PERCENTILES = f"95 %, percentiles of {DRAWING}"  # of what is read from tokens
NAN = float("nan")


@dataclass(frozen=True)
class Absent:
    """Why there is no estimate."""

    why: str


@dataclass(frozen=True, eq=False)
class Estimate:
    """A value, or a sum of values, of pooled runs.

    value     mean over runs of the metric, or a contrast of such means; NaN where no clip has it
    drawn     the pooled metric in every draw, in the unit of the value; None where the two sides do not pair
    quartiles instead of an interval, of what is timed
    n         distinct clips (of timings: runs)
    runs      evaluations, traces or timings, by fold and seed; of a contrast, those that its terms share
    cells     paths of all that went in
    left_out  what a term has and another has not, and so is in no side; empty where nothing
    note      what the interval leaves out
    """

    value: float
    drawn: Drawn | None
    n: int
    runs: int
    seeds: int
    cells: tuple[str, ...] = ()
    quartiles: tuple[float, float] | None = field(default=None, kw_only=True)
    left_out: str = field(default="", kw_only=True)
    note: str = field(default="", kw_only=True)

    @property
    def low(self) -> float:
        """Lower end of the two-sided 95 % interval; NaN where there is none."""
        return self.interval[0]

    @property
    def high(self) -> float:
        return self.interval[1]

    @cached_property
    def interval(self) -> tuple[float, float]:
        return self.quartiles or self._ends((1 - LEVEL) / 2, (1 + LEVEL) / 2)

    @cached_property
    def bounds(self) -> tuple[float, float]:
        """One-sided 95 % bounds, each alone."""
        return self.quartiles or self._ends(1 - LEVEL, LEVEL)

    def chance(self, threshold: float = 0.0, way: Way = "either") -> float | None:
        """p-value of the threshold, by what the interval is by: at most 5 % where the interval leaves it out.

        way: what the value is tested to be, on either side of the threshold, above it or below it (the one-sided
        bound). None where there is no interval, or quartiles.
        """
        from audioprune.statistics.intervals import chance

        if not self._spreads:
            return None
        assert self.drawn is not None
        return chance(self.drawn, threshold - self._shift, way)

    @property
    def is_contrast(self) -> bool:
        """Whether it is a sum of metrics of several models, and zero says that they do not differ."""
        return self.drawn is not None and len(self.drawn.factors) > 1

    @property
    def changed(self) -> tuple[int, int] | None:
        """Numbers of clips lost and gained in a drop, over all runs; None if clips are not counted."""
        return None if self.drawn is None else self.drawn.changed

    @property
    def _spreads(self) -> bool:
        """Whether there is an interval."""
        import numpy as np

        return self.drawn is not None and self.n >= 2 and not np.isnan(self.drawn.draws).all()

    @property
    def _shift(self) -> float:
        """Mean over runs minus pooled metric.

        # ASSUME: the mean over folds spreads as the pooled metric does; for accuracy on equal folds they are the same.
        """
        return 0.0 if self.drawn is None else self.value - self.drawn.value

    def _ends(self, *probabilities: float) -> tuple[float, float]:
        """Ends by the draws, moved to stand around the value."""
        from audioprune.statistics.intervals import quantiles

        if not self._spreads:
            return NAN, NAN
        assert self.drawn is not None
        low, high = quantiles(self.drawn, probabilities)
        return low + self._shift, high + self._shift

    @property
    def draws(self) -> np.ndarray:
        """(D,) values of the draws."""
        if self.drawn is None:
            raise ValueError("an estimate without draws")
        return self.drawn.draws

    @property
    def design(self) -> Design | None:
        return None if self.drawn is None else self.drawn.design

    @property
    def error(self) -> float:
        """Standard error, from the interval's width."""
        return (self.high - self.low) / (2 * 1.959964)

    def times(self, factor: float) -> Estimate:
        """The estimate in another unit; low and high are exchanged for a negative factor."""
        from audioprune.statistics.bootstrap import contrast

        drawn = None if self.drawn is None else contrast((factor, self.drawn))
        quartiles = None
        if self.quartiles is not None:
            low, high = sorted(factor * end for end in self.quartiles)
            quartiles = low, high
        return replace(self, value=factor * self.value, drawn=drawn, quartiles=quartiles)

    def __str__(self) -> str:
        return f"{number(self.value, 2)} [{number(self.low, 2)}, {number(self.high, 2)}]"


def combined(*terms: tuple[float, Estimate]) -> Estimate:
    """Sum of factor x estimate. Without an interval where the terms are not of the same clips and seeds."""
    from audioprune.statistics.bootstrap import contrast

    estimates = [one for _, one in terms]
    drawn, cells = None, tuple(dict.fromkeys(cell for one in estimates for cell in one.cells))
    if all(one.drawn is not None and one.design == estimates[0].design for one in estimates):
        drawn = contrast(*((factor, one.drawn) for factor, one in terms if one.drawn is not None))
    return Estimate(
        sum(factor * one.value for factor, one in terms),
        drawn,
        min(one.n for one in estimates),
        min(one.runs for one in estimates),
        min(one.seeds for one in estimates),
        cells,
        left_out="; ".join(dict.fromkeys(one.left_out for one in estimates if one.left_out)),
        note=estimates[0].note,
    )


def of_draws(value: float, draws: np.ndarray, like: Estimate, *, n: int | None = None) -> Estimate:
    """A quantity computed from the draws of another: a mean over blocks, a quotient of two; it rests on the same."""
    from audioprune.statistics.bootstrap import Drawn

    if like.drawn is None:
        return replace(like, value=value)
    return replace(like, value=value, drawn=Drawn(value, draws, like.drawn.design), n=like.n if n is None else n)
