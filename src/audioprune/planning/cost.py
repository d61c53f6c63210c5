"""The expected hours of a cell, estimated from its multiply-accumulates: for planning only, never a result."""

from __future__ import annotations

from collections.abc import Callable

from audioprune import registry
from audioprune.cells.cell import Cell
from audioprune.cells.kinds import KINDS
from audioprune.facts.dataset import Dataset
from audioprune.facts.recogniser import RECOGNISERS
from audioprune.profiling import whisper_macs as macs
from audioprune.profiling.macs import count

CORE_GFLOPS = 20  # ASSUME: what one processor core sustains on the tiny models
UNITS = 30  # ASSUME: of a transcript


def estimate(cell: Cell, facts: Callable[[str], Dataset], tflops: float) -> dict[str, float]:
    """{gpu_hours} for models of published size, {core_hours} for tiny ones; {} for kinds that take minutes.

    Training costs three forward passes of two FLOPs a MAC for each clip and epoch (paper.md 9), at the
    unpruned cost: an upper bound.
    """
    kind, own = KINDS[cell.kind], cell.settings
    if kind.passes is None:
        return {}
    if cell.kind == "transcribe":
        return _transcribed(own.recogniser, facts(own.dataset).test_clips, tflops)
    if cell.kind == "pretrain":
        clips, frames, classes = cell.inputs["audio"].settings.clips, cell.inputs["features"].settings.frames, 1
        backbone = own.model.backbone
    else:
        trained = own if cell.kind == "finetune" else cell.inputs["finetune"].settings
        dataset, backbone = facts(trained.dataset), trained.model.backbone
        frames, classes = dataset.frames, dataset.num_classes
        clips = dataset.train_clips if kind.clips == "train" else dataset.test_clips
    each = count(backbone, frames=frames, num_classes=classes, method="none", keep_rate=1.0).total
    return _hours(2 * kind.passes(own) * each * clips, registry.backbone(backbone).size.small, tflops)


def _transcribed(name: str, clips: int, tflops: float) -> dict[str, float]:
    """Every clip in a window of its own, whole, and as many units as a sentence has."""
    facts = RECOGNISERS[name]
    each = macs.encoder(facts, [facts.tokens] * (facts.depth + 1)) + macs.decoder(facts, facts.tokens, UNITS)
    return _hours(2 * each * clips, facts.small, tflops)


def _hours(flops: float, small: bool, tflops: float) -> dict[str, float]:
    if small:
        return {"core_hours": flops / (CORE_GFLOPS * 1e9) / 3600}
    return {"gpu_hours": flops / (tflops * 1e12) / 3600}


def stored_mib(cell: Cell, facts: Callable[[str], Dataset]) -> float:
    """Disk that a cell is expected to take, in MiB, as far as it follows from settings and facts."""
    if cell.kind == "generate":
        return cell.settings.clips * 4 * 32000 / 2**20
    kind = KINDS[cell.kind]
    if kind.frame_bytes:
        dataset = facts(cell.settings.dataset)
        return (dataset.train_clips + dataset.test_clips) * dataset.frames * kind.frame_bytes / 2**20
    if kind.weights:
        small = registry.backbone(cell.settings.model.backbone).size.small
        return (3 if small else 340) * kind.weights
    return 1
