"""A study's evaluations as frames: one row for each (`runs`), or folds and seeds pooled, with intervals (`tidy`).

Every value is computed from per-clip predictions, in percent (mAP x 100), and never from another aggregate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audioprune.results import Result, Results, label

if TYPE_CHECKING:
    import pandas as pd

DRAWS, LEVEL = 1000, 0.95  # of the bootstrap
FEWER, LARGE = 200, 1_000_000  # draws of an mAP of more than so many scores: AudioSet's takes minutes as it is
INTERVAL = f"95 % bootstrap over source recordings, {DRAWS} draws ({FEWER} for a large mAP), folds and seeds pooled"


def runs(results: Results) -> pd.DataFrame:
    """One row for each evaluation of the study: what it is, its value (percent; mAP x 100) and n, or why it is missing.

    `method` and `keep_rate` are the evaluation's; `trained` names another pruning in training, else it is empty.
    """
    return results.cached("runs", _runs)


def tidy(results: Results) -> pd.DataFrame:
    """Folds and seeds pooled: value is the mean over runs, low and high a bootstrap interval over pooled predictions.

    Columns as in `runs`, with `runs`, `missing` and `why` for what is not there, `n` the number of distinct clips and
    `cells` the paths of the evaluations.
    """
    return results.cached("tidy", _tidy)


GROUP = ("backbone", "dataset", "method", "keep_rate", "trained", "variant", "selection", "perturbation", "metric")
RUN = ("fold", "seed")


def _runs(results: Results) -> pd.DataFrame:
    import pandas as pd

    from audioprune.training.metrics import metric_of

    rows, cells = [], results.cells("evaluate")
    variant = variants(cells)
    for r in cells:
        trained = r.inputs["finetune"].settings
        metric = results.dataset(trained.dataset).metric
        other = trained.pruning != r.settings.pruning
        row = {
            "backbone": trained.model.backbone,
            "dataset": trained.dataset,
            "method": label(r.settings.pruning),
            "keep_rate": r.settings.pruning.keep_rate,
            "trained": trained.pruning.label if other else "",
            "variant": variant[r.path],
            "selection": r.settings.selection,
            "perturbation": r.settings.perturbation,
            "metric": metric,
            "fold": trained.fold,
            "seed": trained.seed,
            "value": float("nan"),
            "n": 0,
            "why": r.why,
            "cell": r.path,
        }
        if r.ok:
            predictions = r.predictions()
            row |= {"value": 100 * metric_of(predictions, metric), "n": len(predictions)}
        rows.append(row)
    return pd.DataFrame(rows, columns=[*GROUP, *RUN, "value", "n", "why", "cell"])


def variants(cells: list[Result]) -> dict[str, str]:
    """{path: 'initial=scratch' and the like} of evaluations, traces or fine-tunings: settings besides those that every
    exhibit names, where runs of one backbone and dataset differ in them; empty for all others."""
    found: dict[str, str] = {}
    by_name: dict[tuple, dict[str, dict]] = {}
    for r in cells:
        tuned = r.inputs["finetune"].settings if "finetune" in r.inputs else r.settings
        rest = _flat(tuned.model_dump(mode="json", exclude={"pruning", "fold", "seed", "dataset"}))
        by_name.setdefault((tuned.model.backbone, tuned.dataset), {})[r.path] = rest
    for own in by_name.values():
        first = next(iter(own.values()))
        differ = [k for k in first if any(rest[k] != first[k] for rest in own.values())]
        for path, rest in own.items():
            found[path] = ", ".join(f"{k.rpartition('.')[2]}={rest[k]}" for k in differ)
    return found


def _flat(value: dict, prefix: str = "") -> dict:
    found = {}
    for k, v in value.items():
        found |= _flat(v, f"{prefix}{k}.") if isinstance(v, dict) else {f"{prefix}{k}": v}
    return found


def _tidy(results: Results) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for key, group in runs(results).groupby(list(GROUP), sort=False):
        row = dict(zip(GROUP, key, strict=True))
        there, absent = group[group["why"] == ""], group["why"][group["why"] != ""]
        row |= {"folds": group["fold"].nunique(), "seeds": group["seed"].nunique(), "cells": tuple(group["cell"])}
        row |= {"runs": len(there), "missing": len(absent), "why": "; ".join(dict.fromkeys(absent))}
        row |= {"value": there["value"].mean(), "n": 0, "low": float("nan"), "high": float("nan")}
        if len(there):
            predictions = pooled(results, there["cell"])
            row |= {"n": predictions["clip"].nunique(), **_interval(predictions, row["metric"], row["value"])}
        rows.append(row)
    columns = [*GROUP, "folds", "seeds", "runs", "missing", "value", "low", "high", "n", "why", "cells"]
    return pd.DataFrame(rows, columns=columns)


def pooled(results: Results, paths) -> pd.DataFrame:
    """Predictions of several evaluations, one below the other, with the seed of each."""
    import pandas as pd

    found = [results.cell(path) for path in paths]
    parts = [r.predictions().assign(seed=r.inputs["finetune"].settings.seed) for r in found if r.ok]
    return pd.concat(parts, ignore_index=True)


def draws(predictions: pd.DataFrame, metric: str) -> int:
    """How often to draw: less often where one draw is slow."""
    scores = len(predictions) * len(predictions["scores"].iloc[0])
    return FEWER if metric == "map" and scores > LARGE else DRAWS


def _interval(predictions: pd.DataFrame, metric: str, value: float) -> dict[str, float]:
    """A bootstrap interval of the pooled predictions, in percent, moved to stand around the mean over runs.

    # ASSUME: the mean over folds spreads as the pooled metric does; the two are the same for accuracy on equal folds.
    """
    from audioprune.statistics.bootstrap import interval
    from audioprune.training.metrics import metric_of

    low, high = interval(predictions, metric, draws=draws(predictions, metric), seed=0, level=LEVEL)
    shift = value - 100 * metric_of(predictions, metric)
    return {"low": 100 * low + shift, "high": 100 * high + shift}


def drop(results: Results, unpruned, row) -> dict[str, float]:
    """Unpruned minus `row`, two rows of `tidy`, with a paired interval where both have the same clips."""
    from audioprune.statistics.bootstrap import paired_difference

    found = {"value": unpruned.value - row.value}
    if unpruned.missing or row.missing:
        return found
    a, b = pooled(results, unpruned.cells), pooled(results, row.cells)
    try:
        paired = paired_difference(a, b, row.metric, draws=draws(a, row.metric), seed=0, level=LEVEL)
    except ValueError:  # other clips or seeds
        return found
    shift = found["value"] - 100 * paired.value
    return found | {"low": 100 * paired.low + shift, "high": 100 * paired.high + shift}
