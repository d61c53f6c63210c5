"""The cells of a study's noise, and what its noise is made of."""

from __future__ import annotations

from collections.abc import Iterator

from audioprune.cells.cell import Cell
from audioprune.config.design import Study
from audioprune.config.tested import NOISE_TRAINED, Robustness
from audioprune.planning.stages import Planner
from audioprune.planning.tested import runs, tested, trained_with
from audioprune.settings.evaluation import NoisySettings
from audioprune.settings.model import Pruning

OWN = ("kinds", "snrs", "t60s", "power", "draws", "seed", "talkers")  # of a cell, as the study has them
WAVEFORM_NOISE = 0.5  # probability with which a clip is in noise, where models are trained with it


def disturbed(planner: Planner, study: Study, given: Robustness) -> Iterator[Cell]:
    for tuned, pruning in (*tested(planner, study, given), *_trained_with_noise(planner, study, given)):
        own = NoisySettings(pruning=pruning, **given.model_dump(include={*OWN}))
        yield planner.noisy(tuned, own, _sources(given, tuned.settings.dataset))


def _trained_with_noise(planner: Planner, study: Study, given: Robustness) -> Iterator[tuple[Cell, Pruning]]:
    """The unpruned model and the one that is judged beside it, trained once more, with noise: in the first seed."""
    for grid, backbone, dataset, fold, seed in runs(planner, study, given) if given.noise_trained else ():
        for trained in trained_with(grid, given, backbone) if seed == grid.seeds[0] else ():
            if trained.method == "none" or (trained.method, trained.keep_rate, trained.options) == (*NOISE_TRAINED, {}):
                noise = {"waveform_noise": WAVEFORM_NOISE}
                yield planner.finetune(study, grid, backbone, dataset, trained, fold, seed, augmented=noise), trained


def _sources(given: Robustness, dataset: str) -> dict[str, str]:
    named = {kind: getattr(given, kind) for kind in ("babble", "environment") if kind in given.kinds}
    return {kind: name for kind, name in named.items() if name is not None and name != dataset}
