"""Waveform -> log-mel filter bank energies, as Kaldi computes them (htk_compat, Hanning window, no dither).

B clips, L samples at 16 kHz, F frames, T target frames. Everything is float32 on the input's device. Each operation is
done in Kaldi's order and precision, because narrow low-frequency filters would otherwise differ by nearly 1e-4.
Sources: released code, AudioMAE `dataset.py`; Kaldi `feat/feature-window.cc`, `feat/mel-computations.cc`.
"""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from audioprune.facts.mel import MEL_BINS, MEL_LOW, MEL_STEP, SAMPLE_RATE, SHIFT, WINDOW

FFT = 512  # WINDOW rounded up to a power of two
PREEMPHASIS = 0.97
CPU_BLOCK = 500  # frames worked on at once on a CPU: what fits into its caches
FLOOR = torch.finfo(torch.float32).eps  # smallest energy whose logarithm is taken


def fbank(waveforms: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Log-mel energies of zero-padded waveforms.

    waveforms: (B, L) float32; the mean is not touched. lengths: (B,) samples of each clip, None for L.
    Returns (B, F, 128) with F of the longest clip; a clip's rows from its own frame count on are meaningless unless
    its length was None. A clip shorter than one window gives one frame.
    """
    longest = waveforms.shape[1] if lengths is None else int(lengths.max())
    # ASSUME: a clip shorter than 25 ms, for which Kaldi gives no frame at all, is padded with zeros to one frame.
    samples = F.pad(waveforms[:, :longest], (0, max(0, WINDOW - longest)))
    frames = samples.unfold(1, WINDOW, SHIFT)  # (B, F, 400), a view
    if frames.device.type != "cpu":
        return _log_energies(frames)
    clips = max(1, CPU_BLOCK // frames.shape[1])
    return torch.cat([_log_energies(block) for block in frames.split(clips)])


def _log_energies(frames: Tensor) -> Tensor:
    """(B, F, 400) samples -> (B, F, 128) log-mel energies."""
    frames = frames - frames.mean(dim=2, keepdim=True)
    previous = torch.cat([frames[..., :1], frames[..., :-1]], dim=2)
    frames = frames.sub_(previous.mul_(PREEMPHASIS)).mul_(_window(frames.device))
    power = torch.fft.rfft(frames, n=FFT).abs().square_()  # (B, F, 257)
    energy = power[..., :-1] @ _filters(frames.device)  # (B, F, 128); the Nyquist bin is in no filter
    return energy.clamp_(min=FLOOR).log_()


def natural_frames(lengths: Tensor) -> Tensor:
    """(B,) samples -> (B,) frames that fit whole; one for a clip shorter than a window."""
    return (1 + (lengths - WINDOW).div(SHIFT, rounding_mode="floor")).clamp(min=1)


def log_mel(waveforms: Tensor, lengths: Tensor | None, frames: int) -> tuple[Tensor, Tensor]:
    """The whole front end up to, not including, normalisation.

    waveforms: (B, L) float32, zero beyond `lengths`; the mean over each clip's own samples is subtracted.
    Returns the fbank (B, frames, 128) and the frames each clip had before cutting or padding, (B,) int64. A clip is cut
    to its first frames, or padded on the right with its own minimum.

    DIFFERS: from upstream AST and AudioMAE, which pad with zero; the released pruning code pads with the minimum.
    """
    batch, width = waveforms.shape
    device = waveforms.device
    lengths = torch.full((batch,), width) if lengths is None else lengths
    lengths = lengths.to(device)
    if int(lengths.min()) < 1 or int(lengths.max()) > width:
        raise ValueError(f"lengths must lie between 1 and {width}, not {int(lengths.min())} to {int(lengths.max())}")
    natural = natural_frames(lengths)  # (B,)
    inside = torch.arange(width, device=device) < lengths[:, None]  # (B, L)
    waveforms = torch.where(inside, waveforms, 0.0)
    waveforms = torch.where(inside, waveforms - waveforms.sum(1, keepdim=True) / lengths[:, None], 0.0)
    used = (frames - 1) * SHIFT + WINDOW  # samples of which the first `frames` frames are made
    x = fbank(waveforms[:, :used], lengths.clamp(max=used))  # (B, F, 128), F <= frames
    real = torch.arange(x.shape[1], device=device) < natural[:, None]  # (B, F)
    low = torch.where(real[..., None], x, torch.inf).amin(dim=(1, 2))  # (B,)
    x = torch.where(real[..., None], x, low[:, None, None])
    tail = low[:, None, None].expand(batch, frames - x.shape[1], MEL_BINS)
    return torch.cat([x, tail], dim=1), natural


def normalise(x: Tensor, mean: float, std: float) -> Tensor:
    """x <- (x - mean) / (2 std): the domain of patch statistics, cluster edges and thresholds."""
    return (x - mean) / (2 * std)


@cache
def _window(device: torch.device) -> Tensor:
    return torch.hann_window(WINDOW, periodic=False, device=device)  # (400,)


@cache
def _filters(device: torch.device) -> Tensor:
    """Triangular filters, transposed: (256 FFT bins, 128 mel bins). float32, as Kaldi builds them."""
    bins = torch.arange(MEL_BINS)[:, None]  # (128, 1)
    left = MEL_LOW + bins * MEL_STEP
    centre = MEL_LOW + (bins + 1.0) * MEL_STEP
    right = MEL_LOW + (bins + 2.0) * MEL_STEP
    mel = 1127.0 * (1.0 + SAMPLE_RATE / FFT * torch.arange(FFT / 2) / 700.0).log()  # (256,)
    triangles = torch.minimum((mel - left) / (centre - left), (right - mel) / (right - centre))  # (128, 256)
    return triangles.clamp(min=0).T.contiguous().to(device)
