"""Hours that a cell is expected to take, from its multiply-accumulates: a guide for planning, never a result."""

from __future__ import annotations

from collections.abc import Callable

from audioprune import registry
from audioprune.facts.dataset import Dataset
from audioprune.planning.cells import Cell
from audioprune.profiling.macs import count

CORE_GFLOPS = 20  # ASSUME: what one processor core sustains on the tiny models


def estimate(cell: Cell, facts: Callable[[str], Dataset], tflops: float) -> dict[str, float]:
    """{gpu_hours} for models of published size, {core_hours} for tiny ones; {} for kinds that take minutes.

    Training costs three forward passes of two FLOPs a MAC for each clip and epoch (specification, section 9), at the
    unpruned cost: an upper bound.
    """
    tuned = cell if cell.kind == "finetune" else cell.inputs.get("finetune")
    if cell.kind == "pretrain":
        clips, epochs, passes = cell.inputs["audio"].settings.clips, cell.settings.recipe.epochs, 3
        backbone, frames, classes = cell.settings.model.backbone, cell.inputs["features"].settings.frames, 1
    elif tuned is not None:
        dataset = facts(tuned.settings.dataset)
        backbone, frames, classes = tuned.settings.model.backbone, dataset.frames, dataset.num_classes
        training = cell is tuned
        clips = dataset.train_clips if training else dataset.test_clips
        epochs, passes = (tuned.settings.recipe.epochs, 3) if training else (1, 1)
        if cell.kind == "discard":
            passes = 2 * len(cell.settings.blocks) * len(cell.settings.sets)  # with the control
    else:
        return {}
    macs = count(backbone, frames=frames, num_classes=classes, method="none", keep_rate=1.0).total
    flops = 2 * passes * macs * clips * epochs
    if registry.backbone(backbone).size.small:
        return {"core_hours": flops / (CORE_GFLOPS * 1e9) / 3600}
    return {"gpu_hours": flops / (tflops * 1e12) / 3600}


def stored_mib(cell: Cell, facts: Callable[[str], Dataset]) -> float:
    """Disk that a cell is expected to take, in MiB, as far as it follows from settings and facts."""
    if cell.kind == "generate":
        return cell.settings.clips * 4 * 32000 / 2**20
    if cell.kind in ("audio", "features"):
        dataset = facts(cell.settings.dataset)
        clips = dataset.train_clips + dataset.test_clips
        bytes_a_frame = 320 if cell.kind == "audio" else 512  # int16 samples of 10 ms; 128 float32 bins
        return clips * dataset.frames * bytes_a_frame / 2**20
    if cell.kind in ("pretrain", "finetune"):
        small = registry.backbone(cell.settings.model.backbone).size.small
        return (3 if small else 340) * (2 if cell.kind == "finetune" else 1)
    return 1
