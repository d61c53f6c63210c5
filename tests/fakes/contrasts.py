"""A study that declares contrasts, of the models of `fake_ablations`."""

from __future__ import annotations

from functools import cache

from audioprune.results.study import Results
from audioprune.settings.exhibits import Contrast
from audioprune.settings.model import Pruning
from tests.fakes.ablations import ablations, topk
from tests.fakes.studies import facts

OTHER = {"blocks": (1, 4, 7)}


def contrast(backbone: str, first: Pruning, second: Pruning, tested: bool = True) -> Contrast:
    own = {"backbone": backbone, "dataset": "esc10", "first": first, "second": second}
    return Contrast(**own, trained=not tested, tested=tested)


DECLARED = (
    contrast("audiomae-tiny", Pruning(), topk(0.7, **OTHER)),
    contrast("audiomae-tiny", Pruning(), topk(0.5, **OTHER)),
    contrast("ast-tiny", topk(0.5), Pruning(method="random", keep_rate=0.5)),
    contrast("ast-tiny", Pruning(), topk(0.5), tested=False),
)


@cache
def declared() -> Results:
    return Results("demo", ablations().cells("evaluate"), facts, DECLARED)
