"""Pre-training of tiny backbones: AudioMAE by masked autoencoding, AST with the labels of the same corpus."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from audioprune.audio.features import FeatureStore
from audioprune.audio.store import WaveformStore
from audioprune.models.family import Classifier
from audioprune.settings.training import Augment, PretrainSettings
from audioprune.statistics.metrics import multi_hot
from audioprune.training.batches import Batches, generator
from audioprune.training.finetune import supervised
from audioprune.training.history import write_history
from audioprune.training.loop import Trained, Weights, train, weights_of
from audioprune.training.masked import MaskedAutoencoder, random_visible
from audioprune.training.optim import build_optimizer
from audioprune.training.resume import ResumePoint


def pretrain(
    settings: PretrainSettings,
    model: Classifier,
    *,
    waveforms: WaveformStore,
    features: FeatureStore,
    num_classes: int,
    out: Path,
    resume: Path,
    key: str,
    device: torch.device,
    name: str = "pretrain",
    save_every_s: float = 60,
) -> tuple[Weights, dict]:
    """Train `model` (unpruned, on `device`) on the whole corpus; leaves history.csv in `out`.

    Returns the weights by official key names and the record's results. Of a masked autoencoder these are the encoder's
    and its final `norm`: no decoder, and no classifier, which has not been trained.
    """
    point = ResumePoint(resume, key, save_every_s)
    augment = settings.augment.model_copy(update={"baseline": "paper"})  # nothing shrinks here: masks stay on
    rows = np.arange(len(waveforms.clips))
    if settings.objective == "mae":
        autoencoder, run = masked(settings, augment, model, features, waveforms, rows, point, device, name)
        head = set(model.rules.head.values())
        weights = {key: value for key, value in weights_of(model).items() if key not in head}
        weights |= {f"norm.{key}": value for key, value in weights_of(autoencoder.norm).items()}
    else:
        run = supervised(
            model,
            features=features,
            waveforms=waveforms,
            rows=rows,
            targets=multi_hot(list(waveforms.clips["labels"]), num_classes),
            loss="bce",
            recipe=settings.recipe,
            augment=augment,
            target=1.0,
            seed=settings.seed,
            evaluate=None,
            point=point,
            device=device,
            name=name,
        )
        weights = weights_of(model)
    write_history(out / "history.csv", run.history)
    last = run.history[-1]
    results = {"clips": len(rows), "epochs": len(run.history), "steps": last["step"], "train_loss": last["train_loss"]}
    return weights, {"objective": settings.objective, **results}


def masked(
    settings: PretrainSettings,
    augment: Augment,
    model: Classifier,
    features: FeatureStore,
    waveforms: WaveformStore,
    rows: np.ndarray,
    point: ResumePoint,
    device: torch.device,
    name: str,
) -> tuple[MaskedAutoencoder, Trained]:
    """Masked autoencoding of `model`'s encoder (see training.masked); labels are not looked at."""
    recipe, seed = settings.recipe, settings.seed
    batches = Batches(
        features,
        waveforms,
        rows=rows,
        targets=np.zeros((len(rows), 1), dtype=np.float32),
        augment=augment,
        recipe=recipe,
        target=1.0,
        seed=seed,
        device=device,
    )
    autoencoder = MaskedAutoencoder(
        model, decoder_width=settings.decoder_width, decoder_depth=settings.decoder_depth, seed=seed
    ).to(device)

    def batch_of(epoch: int, step: int) -> tuple[Tensor, Tensor]:
        x = batches(epoch, step).x
        draw = generator(seed, "visible", epoch, step)
        return x, random_visible(model.tokens.patches, settings.mask_ratio, len(x), draw).to(device)

    def loss_of(autoencoder: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, int]:
        return autoencoder(*batch), len(batch[0])

    def layer_of(name: str) -> int:
        return model.layer_of(name.removeprefix("encoder.")) if name.startswith("encoder.") else model.depth + 1

    undecayed = {f"encoder.{name}" for name in model.no_weight_decay()} | {"mask_token"}
    run = train(
        autoencoder,
        build_optimizer(autoencoder, recipe, layer_of, undecayed, model.depth),
        recipe=recipe,
        seed=seed,
        target=1.0,
        steps=batches.steps,
        batch_of=batch_of,
        loss_of=loss_of,
        evaluate=None,
        point=point,
        device=device,
        name=name,
    )
    return autoencoder, run
