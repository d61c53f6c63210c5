"""A study's evaluations as frames: one row for each (`runs`), or folds and seeds pooled, with intervals (`tidy`).

Every value is computed from per-clip predictions, in percent (mAP x 100), and never from another aggregate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from audioprune.labels import label_of, method_label
from audioprune.results.estimate import DRAWS, Estimate
from audioprune.results.study import Result, Results

if TYPE_CHECKING:
    import pandas as pd

    from audioprune.statistics.bootstrap import Drawn


OF_THIS_SIZE = "mAP depends on the number of clips: values and intervals are those of a test set of this size."


def runs(results: Results) -> pd.DataFrame:
    """One row for each evaluation of the study: what it is, its value (percent; mAP x 100) and n, or why it is missing.

    `method` and `keep_rate` are the evaluation's; `trained` names another pruning in training, else it is empty.
    """
    return results.cached("runs", _runs)


def tidy(results: Results) -> pd.DataFrame:
    """Folds and seeds pooled: value is the mean over runs, low and high a bootstrap interval over pooled predictions.

    Columns as in `runs`, with `runs`, `missing` and `why` for what is not there, `n` and `clusters` the numbers of
    distinct clips and recordings, `note` what the interval leaves out and `cells` the paths of the evaluations.
    """
    return results.cached("tidy", _tidy)


def by_cell(results: Results) -> pd.DataFrame:
    """`runs`, found by the path of the evaluation."""
    return results.cached("runs by cell", lambda results: runs(results).set_index("cell"))


GROUP = ("backbone", "dataset", "method", "keep_rate", "trained", "variant", "selection", "perturbation", "metric")
RUN = ("fold", "seed")


def _runs(results: Results) -> pd.DataFrame:
    import pandas as pd

    rows, cells = [], results.cells("evaluate")
    variant = variants(cells)
    for r in cells:
        trained = r.inputs["finetune"].settings
        metric = results.dataset(trained.dataset).metric
        other = trained.pruning != r.settings.pruning
        row = {
            "backbone": trained.model.backbone,
            "dataset": trained.dataset,
            "method": method_label(r.settings.pruning),
            "keep_rate": r.settings.pruning.keep_rate,
            "trained": label_of(trained.pruning) if other else "",
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
            row["value"], row["n"] = _value(results, r, metric)
        rows.append(row)
    return pd.DataFrame(rows, columns=[*GROUP, *RUN, "value", "n", "why", "cell"])


def _value(results: Results, evaluation: Result, metric: str) -> tuple[float, int]:
    """(percent, clips) of one evaluation."""

    def make(results: Results) -> tuple[float, int]:
        from audioprune.statistics.metrics import metric_of

        predictions = evaluation.predictions()
        return 100 * metric_of(predictions, metric), len(predictions)

    return results.cached(f"value {metric}", make, of=(evaluation.path,))


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
    found: dict[str, Any] = {}
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
        row |= {
            "of_folds": results.dataset(row["dataset"]).folds,
            "runs": len(there),
            "missing": len(absent),
            "why": "; ".join(dict.fromkeys(absent)),
        }
        row |= {"value": float("nan"), "low": float("nan"), "high": float("nan"), "n": 0, "clusters": 0, "note": ""}
        if len(there):
            found = measured(results, tuple(there["cell"]))
            row |= {"value": found.value, "low": found.low, "high": found.high, "n": found.n, "note": found.note}
            row["clusters"] = found.design.clusters if found.design else 0
        rows.append(row)
    counts, interval = (
        ("folds", "of_folds", "seeds", "runs", "missing"),
        ("value", "low", "high", "n", "clusters", "note"),
    )
    return pd.DataFrame(rows, columns=[*GROUP, *counts, *interval, "why", "cells"])


def rows_of(results: Results, cells: Iterable[Result]) -> pd.DataFrame:
    """The rows of `tidy` that these evaluations make up."""
    paths, frame = {c.path for c in cells}, tidy(results)
    return frame[frame["cells"].map(paths.issuperset).astype(bool)]


def pick(frame: pd.DataFrame, **wanted: object) -> Any:
    """The first row with all wanted values; None if there is none."""
    found = (row for row in frame.itertuples() if all(getattr(row, k) == v for k, v in wanted.items()))
    return next(found, None)


def measured(results: Results, paths: Sequence[str]) -> Estimate:
    """Mean over the evaluations that exist, in percent, with the draws of their pooled predictions."""

    def make(results: Results) -> Estimate:
        from audioprune.statistics.bootstrap import contrast, note
        from audioprune.statistics.units import unit_of

        each = by_cell(results).loc[list(paths)]
        unit = unit_of(results.dataset(each["dataset"].iloc[0]))
        pooled = contrast((100, drawn(results, paths, each["metric"].iloc[0])))
        sizes = pooled.design.clips, len(paths), pooled.design.seeds
        told = note(pooled.design.seeds, unit)
        return Estimate(float(each["value"].mean()), pooled, *sizes, tuple(paths), note=told)

    return results.cached(f"measured {' '.join(paths)}", make, of=paths)


def pooled(results: Results, paths: Sequence[str]) -> pd.DataFrame:
    """Predictions of several evaluations, one below the other, with the seed of each."""
    import pandas as pd

    found = [results.cell(path) for path in paths]
    parts = [r.predictions().assign(seed=r.inputs["finetune"].settings.seed) for r in found if r.ok]
    return pd.concat(parts, ignore_index=True)


def drawn(results: Results, paths: Sequence[str], metric: str) -> Drawn:
    """The metric of several evaluations, pooled, from 0 to 1, in every draw of recordings and seeds."""
    from audioprune.statistics.bootstrap import draw
    from audioprune.statistics.units import unit_of

    def make(results: Results) -> Drawn:
        tuned = results.cell(paths[0]).inputs["finetune"].settings
        return draw(pooled(results, paths), metric, unit=unit_of(results.dataset(tuned.dataset)), draws=DRAWS, seed=0)

    return results.cached(f"drawn {metric} {' '.join(paths)}", make, of=paths)


def covered(rows: Iterable) -> tuple[str, ...]:
    """Remarks for an exhibit that shows these rows of `tidy`: what intervals leave out, what those of mAP are of."""
    told: dict[str, dict[str, None]] = {}
    tagging = False
    for row in rows:
        tagging |= row.metric == "map" and row.runs > 0
        if row.note:
            told.setdefault(row.note, {})[f"{row.backbone} on {row.dataset}"] = None
    found = tuple(f"{note[0].upper()}{note[1:]} ({', '.join(where)})." for note, where in told.items())
    return (*found, OF_THIS_SIZE) if tagging else found
