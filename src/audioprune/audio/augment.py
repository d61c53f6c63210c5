"""Training-time augmentation, as in the released code; every function is the identity when it is switched off.

Order in a batch: `magnitude` and `roll_waveform`, of both clips of a mixture, then `mixup` on waveforms; waveform
noise, which is ours (training.waveform_noise); `log_mel`; `specaug`; normalisation; `noise`, which is on pixels.
`mask_2d` drops tokens instead of pixels. B clips, L samples, T frames.

All draws come from the given CPU generator, for the whole batch at once and always in the same order, and are moved to
the data's device afterwards: the same generator gives the same augmentation on a CPU and on a GPU.
Sources: released code, AudioMAE `dataset.py` and `models_vit.py`, AST `dataloader.py`; torchaudio `mask_along_axis`.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

NOISE_SHIFT = (-10, 10)  # frames: from, up to but not including


def beta_10_10(n: int, generator: Generator) -> Tensor:
    """n draws of Beta(10, 10), (n,): the 10th smallest of 19 uniform draws has just this distribution."""
    return torch.rand(n, 19, generator=generator).sort(dim=1).values[:, 9]


def magnitude(waveforms: Tensor, generator: Generator) -> Tensor:
    """Each clip times its own Beta(10, 10) + 0.5. (B, L) -> (B, L)."""
    gain = beta_10_10(len(waveforms), generator) + 0.5
    return waveforms * gain.to(waveforms.device)[:, None]


def roll_waveform(waveforms: Tensor, lengths: Tensor, generator: Generator) -> Tensor:
    """Each clip rolled in a circle, within its own samples, by a uniform whole number of them. (B, L) -> (B, L).

    DIFFERS: the released code draws the number from range(channels), which is 0: it never rolls. Off by default.
    """
    device = waveforms.device
    lengths = lengths.to(device)[:, None]
    shift = (torch.rand(len(waveforms), generator=generator, dtype=torch.float64).to(device)[:, None] * lengths).long()
    position = torch.arange(waveforms.shape[1], device=device)
    source = torch.where(position < lengths, (position - shift) % lengths, position)  # (B, L)
    return waveforms.gather(1, source)


def draw_mixup(batch: int, clips: int, probability: float, generator: Generator) -> tuple[Tensor, Tensor]:
    """Who is mixed with whom: row of the second clip (B,) int64, uniform over `clips` training clips, and lambda (B,).

    lambda is Beta(10, 10) with the given probability, else 1, which leaves the first clip as it is.
    """
    mixed = torch.rand(batch, generator=generator) < probability
    second = torch.randint(clips, (batch,), generator=generator)
    weight = beta_10_10(batch, generator)
    return second, torch.where(mixed, weight, 1.0)


def mixup(
    waveforms: Tensor,
    lengths: Tensor,
    labels: Tensor,
    second: Tensor,
    second_lengths: Tensor,
    second_labels: Tensor,
    weight: Tensor,
) -> tuple[Tensor, Tensor]:
    """lambda of the first clip and 1 - lambda of the second, waveforms and labels alike.

    waveforms: (B, L), zero beyond lengths (B,); labels: (B, classes) float; the second clips alike, with another L;
    weight: lambda, (B,). Both clips lose their mean, the second is padded with zeros or cut to the first's length, and
    the mixture loses its mean. Clips with lambda 1 come back untouched.
    """
    device = waveforms.device
    weight = weight.to(device)[:, None]  # (B, 1)
    width = waveforms.shape[1]
    second = _centre(second, second_lengths.to(device))[:, :width]
    second = torch.nn.functional.pad(second, (0, width - second.shape[1]))  # (B, L)
    mixture = weight * _centre(waveforms, lengths.to(device)) + (1 - weight) * second
    mixture = torch.where(weight == 1, waveforms, _centre(mixture, lengths.to(device)))
    weight = weight.to(labels.dtype)
    return mixture, weight * labels + (1 - weight) * second_labels


def specaug(x: Tensor, freq: int, time: int, generator: Generator) -> Tensor:
    """One band of up to `freq` mel bins and one span of up to `time` frames of each clip filled with 0.

    x: (B, T, 128) before normalisation, where 0 is rather loud. The width is the whole part of a uniform draw from
    [0, freq), the start that of one from [0, 128 - draw); time alike. 0 switches either off.
    """
    batch, frames, bins = x.shape
    draws = torch.rand(4, batch, generator=generator)
    band = _span(draws[0], draws[1], freq, bins).to(x.device)  # (B, 128)
    span = _span(draws[2], draws[3], time, frames).to(x.device)  # (B, T)
    return x.masked_fill(band[:, None, :] | span[:, :, None], 0.0)


def noise(x: Tensor, generator: Generator) -> Tensor:
    """Pixels + U(0,1) each times U(0,1) / 10 per clip, then a circular roll in time by -10..9 frames.

    x: (B, T, 128) after normalisation.
    """
    batch, frames, _ = x.shape
    strength = torch.rand(batch, generator=generator)
    shift = torch.randint(*NOISE_SHIFT, (batch,), generator=generator)
    pixels = torch.rand(x.shape, generator=generator)
    x = x + (pixels * strength[:, None, None] / 10).to(x.device)
    source = (torch.arange(frames) - shift[:, None]) % frames  # (B, T)
    return x.gather(1, source.to(x.device)[:, :, None].expand_as(x))


def mask_2d(time: int, freq: int, p: float, generator: Generator, batch: int) -> Tensor:
    """Patches left by dropping time rows and frequency columns, each with share p, at random per clip.

    Returns (B, int((1 - p) * time) * int((1 - p) * freq)) int64: patch indices in AudioMAE's time-major order
    (time index * freq + freq index), ascending. Source: released code, `models_vit.py`: random_masking_2d.
    """
    rows, columns = int(time * (1 - p)), int(freq * (1 - p))
    if rows < 1 or columns < 1:
        raise ValueError(f"2-D masking with p = {p} leaves nothing of {time} x {freq} patches")
    row = _subset(time, rows, batch, generator)  # (B, rows)
    column = _subset(freq, columns, batch, generator)  # (B, columns)
    return (row[:, :, None] * freq + column[:, None, :]).flatten(1)


def _centre(waveforms: Tensor, lengths: Tensor) -> Tensor:
    """Each clip minus its mean; samples beyond its length stay (or become) zero."""
    inside = torch.arange(waveforms.shape[1], device=waveforms.device) < lengths[:, None]
    waveforms = torch.where(inside, waveforms, 0.0)
    return torch.where(inside, waveforms - waveforms.sum(1, keepdim=True) / lengths[:, None], 0.0)


def _span(draw: Tensor, place: Tensor, largest: int, size: int) -> Tensor:
    """(B,) uniform draws for width and place -> (B, size) bool, true inside the masked span."""
    width = draw * min(largest, size)
    start = (place * (size - width)).long()[:, None]
    position = torch.arange(size)
    return (position >= start) & (position < start + width.long()[:, None])


def _subset(n: int, k: int, batch: int, generator: Generator) -> Tensor:
    """k of n numbers at random for each clip, ascending: (B, k)."""
    return torch.rand(batch, n, generator=generator).argsort(dim=1, stable=True)[:, :k].sort(dim=1).values
