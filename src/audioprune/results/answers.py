"""What a traced model says of a clip: from the evaluation of the same weights with the same pruning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from audioprune.cells.query import Asked, Cells


def evaluation(study: Cells, trace: Asked) -> Any:
    """That of a trace's weights with its pruning, unperturbed, planned or made; None where the study has none."""
    wanted = {"pruning": trace.settings.pruning, "selection": trace.settings.selection, "perturbation": "none"}
    tuned = trace.inputs["finetune"].path
    return next((r for r in study.cells("evaluate", **wanted) if r.inputs["finetune"].path == tuned), None)


def answer(scores: np.ndarray, labels: Sequence[int]) -> tuple[list[int], bool] | None:
    """(classes with the highest scores, as many as the clip has, highest first; whether all of them are its own).

    scores (classes,); None where no token was left, so that they are NaN.
    """
    import numpy as np

    if np.isnan(scores).any():
        return None
    highest = np.argsort(-scores, kind="stable")[: max(1, len(labels))].tolist()
    return highest, set(highest) <= set(labels)
