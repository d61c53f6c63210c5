"""MACs of one clip at every keep-rate, in closed form and by torchprofile, which must be exactly equal."""

from __future__ import annotations

import csv

from audioprune.errors import UserError
from audioprune.profiling.macs import of_settings
from audioprune.settings.costs import MacsSettings
from audioprune.steps._run import Job, main

COLUMNS = ("keep_rate", "closed_form", "torchprofile", "difference")


def macs(job: Job[MacsSettings]) -> dict:
    settings = job.settings
    if settings.model.kernel != "eager":
        raise UserError(f"{job.address}: torchprofile counts the eager kernel only; set model.kernel: eager")
    ours = {rate: of_settings(settings, rate) for rate in settings.keep_rates}
    theirs = by_torchprofile(settings)
    rows = [(rate, one.total, theirs[rate], theirs[rate] - one.total) for rate, one in ours.items()]
    with open(job.out / "macs.csv", "w", newline="", encoding="utf-8") as f:
        csv.writer(f, lineterminator="\n").writerows([COLUMNS, *rows])
    wrong = [row for row in rows if row[3]]
    if wrong:
        found = "; ".join(
            f"keep-rate {rate:g}: {closed} in closed form, {traced} traced" for rate, closed, traced, _ in wrong
        )
        raise UserError(f"{job.address}: closed form and torchprofile disagree ({found}); one of the two is wrong")
    base = of_settings(settings, 1.0).total
    return {
        "keep_rates": {
            f"{rate:g}": {
                "macs": one.total,
                "gmacs": one.gmacs,
                "pct_remaining": 100 * one.total / base,
                "items": one.items,
            }
            for rate, one in ours.items()
        }
    }


def by_torchprofile(settings: MacsSettings) -> dict[float, int]:
    """{keep-rate: MACs}, by following shapes through the eager kernel."""
    from audioprune.profiling.traced import profile
    from audioprune.steps._costed import lowest

    model = lowest(settings, kernel="eager").to("meta")
    found = {}
    for rate in settings.keep_rates:
        model.keep_rate = rate
        found[rate] = profile(model, settings.frames)
    return found


if __name__ == "__main__":
    main(macs)
