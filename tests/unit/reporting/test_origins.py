"""From a number of the page by links alone to the cells whose files hold it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import pytest

from audioprune.exhibits.table import Cell, Row
from audioprune.reporting import explorer, html
from audioprune.reporting.origins import Origins
from audioprune.results.study import Result, Results
from tests import REPOSITORY, pages
from tests.fakes.studies import ABOUT, collected, shared
from tests.fakes.tokens import token_study
from tests.yardstick import remake

STUDIES: dict[str, tuple[Callable[[], Results], tuple[str, ...]]] = {
    "mini": (shared, ("table1", "table7", "evaluations")),
    "tokens": (token_study, ("table2", "table5", "evaluations")),
}


@cache
def page(study: str) -> str:
    results, tables = STUDIES[study]
    return html.render(collected(results(), [("table", name) for name in tables], **ABOUT), REPOSITORY / "report")


@dataclass(frozen=True)
class Shown(pages.Shown):
    study: str = ""


@cache
def numbers(study: str, exhibit: str) -> tuple[Shown, ...]:
    return tuple(Shown(**vars(one), study=study) for one in pages.numbers(page(study), exhibit))


def cells(one: Shown) -> list[Result]:
    """Those that its links lead to."""
    found = pages.cells(page(one.study), one)
    for cell, command in found.items():
        assert command == f"snakemake results/cells/{cell}/record.json"
    return [STUDIES[one.study][0]().cell(cell) for cell in found]


# --- the numbers, computed again from the files of those cells and of nothing else ---


def accuracy(found: list[Result], one: Shown) -> float:
    evaluated = [r for r in found if r.kind == "evaluate" and r.settings.selection == "last"]
    own = [r for r in evaluated if r.settings.pruning == evaluated[0].settings.pruning]
    right = [
        np.mean([np.argmax(s) == y[0] for s, y in zip(f["scores"], f["labels"])])
        for f in (r.predictions() for r in own)
    ]
    return 100 * float(np.mean(right))


def drop(found: list[Result], one: Shown) -> float:
    evaluated = [r for r in found if r.kind == "evaluate"]
    against = [r for r in evaluated if r.settings.pruning != evaluated[0].settings.pruning]
    return accuracy(evaluated, one) - accuracy(against, one)


def macs(found: list[Result], one: Shown) -> float:
    (counted,) = [r for r in found if r.kind == "macs"]
    rates = counted.frame().set_index("keep_rate")["closed_form"]
    return rates[float(one.row["Keep-rate"])] / (1e6 if "M" in one.head else 1e9)


def timed(kernel: str, relative: bool) -> Callable[[list[Result], Shown], float]:
    def computed(found: list[Result], one: Shown) -> float:
        (own,) = [r for r in found if r.kind == "throughput" and r.settings.model.kernel == kernel]
        seconds = own.frame().pivot(index="run", columns="keep_rate", values="seconds")
        at = float(one.row["Keep-rate"])
        return float(
            (seconds[1.0] / seconds[at]).median() if relative else (own.settings.batch_size / seconds[at]).median()
        )

    return computed


def kept(column: str) -> Callable[[list[Result], Shown], float]:
    def computed(found: list[Result], one: Shown) -> float:
        frame = pd.concat([r.frame("stages.parquet") for r in found if r.kind == "tokens"])
        return 100 * float(frame.loc[frame["stage"] == int(one.row["Stage"]), column].mean())

    return computed


MADE_AGAIN = {
    "Accuracy or mAP [95 %]": accuracy, "Δ [95 %] (points)": drop, "MACs (M)": macs, "MACs (G)": macs,
    "Samples/s, eager": timed("eager", False), "Speed-up, eager (×)": timed("eager", True),
    "Speed-up, fused (×)": timed("fused", True),
    "Ratio A [95 %] (%)": kept("ratio_a"), "Ratio B (%)": kept("ratio_b"), "K / N (%)": kept("kept_fraction"),
    "B − K / N [95 %] (points)": kept("excess"),
}  # fmt: skip
ALL = [
    one
    for study, name in (("mini", "table1"), ("tokens", "table2"), ("tokens", "table5"))
    for one in numbers(study, name)
    if one.head in MADE_AGAIN
    and "mAP ×" not in one.group
    and "spc2" not in one.group
    and "random" not in one.row.values()
]


def test_there_are_numbers_of_every_kind():
    assert {one.head for one in ALL} >= MADE_AGAIN.keys() - {"MACs (G)"}


@pytest.mark.parametrize("seed", range(10))
def test_a_number_picked_at_random_is_made_again_from_the_cells_that_its_links_lead_to(seed):
    rng = random.Random(seed)
    head = rng.choice(sorted({one.head for one in ALL}))
    one = rng.choice([one for one in ALL if one.head == head])
    found = cells(one)
    assert found, one
    assert round(abs(MADE_AGAIN[head](found, one) - one.value), 6) <= 0.5001 * 10**-one.decimals, one


def test_every_number_of_these_tables_leads_somewhere():
    for study, names in (("mini", ("table1", "table7")), ("tokens", ("table2", "table5"))):
        for one in (one for name in names for one in numbers(study, name)):
            assert one.links or "not run" in " ".join(one.row.values()), one


def test_links_name_kinds_count_further_cells_and_leave_out_what_the_study_does_not_have():
    results = shared()
    timings = [r.path for r in results.cells("throughput")][:2]
    row = Row(
        {"x": Cell(1.0, rests_on=(*timings, "macs/of/another")), "y": "text"}, rests_on=(results.cells("macs")[0].path,)
    )
    made = Origins(results, explorer.explore(results, None)).of_row(row)
    assert [(one.shown, one.said) for one in made] == [
        ("macs", "macs 1"),
        ("throughput", "throughput 1"),
        ("2", "throughput 2"),
    ]
    assert [one.to for one in made[1:]] == [explorer.anchor(path) for path in timings]


def test_a_figure_says_what_it_is_drawn_from():
    results = shared()
    found = collected(results, [("figure", "accuracy-macs"), ("table", "evaluations")], **ABOUT)
    (figure,) = [one for one in found.exhibits if one.kind == "figure"]
    assert set(figure.rests_on) >= {r.path for r in results.cells("evaluate", perturbation="none", selection="last")}
    text = html.render(found, REPOSITORY / "report")
    (drawn,) = re.findall(r'<details class="from">(.*?)</details>', text, re.S)
    assert len(re.findall(r'href="#(?:result|cell)-', drawn)) == int(
        re.search(r"Drawn from (\d+) results and cells", drawn)[1]
    )


def test_numbers_for_making_again_are_of_many_exhibits_and_a_changed_one_is_told():
    """What the yardstick `remake` picks and compares."""
    whole = page("mini")
    chosen = remake.picked(whole, 10, seed=0)
    assert len({one.place for one, _ in chosen}) == 10
    assert len({one.exhibit for one, _ in chosen}) > 1
    assert not [cell for _, made in chosen for cell in made if cell.startswith("throughput/")]
    found = [one for one, _ in chosen]
    assert remake.differing(found, whole) == []
    other = whole.replace(found[0].text.split(" ")[0], "77.7")
    assert any(line.startswith(found[0].exhibit) and "77.7" in line for line in remake.differing(found, other))
