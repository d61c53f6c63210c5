"""Whether a number of tokens that varies by clip follows what is in the clip: Spearman's correlation and interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.results import recognitions
from audioprune.results.estimate import DRAWS, Absent, Estimate
from audioprune.results.recognitions import Arm

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from audioprune.results.study import Results


def shares(results: Results, arm: Arm) -> pd.DataFrame:
    """One row for each clip, by name: its speaker, words a second, and the share of its own tokens that stays at the
    end; a mean over seeds."""
    frame = recognitions.clips(results, arm)
    frame = frame.assign(kept_share=frame["kept_sound"] / frame["sound"].clip(lower=1))
    frame["words_per_s"] = frame["words"] / frame["audio_seconds"]
    means = frame.groupby("clip")[["kept_share", "words_per_s"]].mean()
    return means.join(frame.groupby("clip")[["recording", "speaker"]].first()).reset_index()


def correlation(results: Results, arm: Arm, frame: pd.DataFrame, x: str, y: str) -> Estimate | Absent:
    """Of two columns over clips; what is drawn anew are speakers, as for error rates. Draws without two different
    values on both sides are left out. Absent where the clips themselves have no two."""
    import numpy as np

    from audioprune.statistics.bootstrap import Drawn, design_of
    from audioprune.statistics.correlation import spearman
    from audioprune.statistics.crossed import crossed, weights

    columns = [frame[name].tolist() for name in (x, y)]
    if min(len(set(own)) for own in columns) < 2:
        return Absent("it is the same in all clips")
    design = crossed(frame, recognitions.unit(results, arm.place))
    drawn = np.concatenate([design.clip_weights(w)[0] for w, _ in weights(design, DRAWS, 0)], axis=1)  # (n, D)
    found = np.array(
        [_ranked(frame[x].to_numpy()[design.rows[0]], frame[y].to_numpy()[design.rows[0]], w) for w in drawn.T]
    )
    made = Drawn(spearman(*columns), found, design_of(design, DRAWS, 0))
    return recognitions.estimated(made, frame.assign(seed=0), arm)


def _ranked(x: np.ndarray, y: np.ndarray, times: np.ndarray) -> float:
    """Spearman's correlation of clips that were drawn so many times each; NaN where one side has no two values."""
    import numpy as np
    from scipy.stats import rankdata

    places = np.repeat(np.arange(len(x)), times.astype(int))
    a, b = rankdata(x[places]), rankdata(y[places])
    a, b = a - a.mean(), b - b.mean()
    norm = np.sqrt((a**2).sum() * (b**2).sum())
    return float((a * b).sum() / norm) if norm > 0 else float("nan")
