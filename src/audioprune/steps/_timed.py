"""What every timed step does around its work: the device that was planned and no other, threads, the load beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from audioprune.cells import provenance
from audioprune.errors import UserError


@contextmanager
def timed(address: str, device: str, *, threads: int) -> Iterator[dict]:
    """What the record says of it, complete when the work is done; UserError on another device than `device`."""
    here = provenance.device()
    if device != here:
        raise UserError(
            f"{address} is to be timed on {device!r}, but this machine has {here!r}: run it there, or "
            "plan again here; a timing is never carried over to another device"
        )
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    about: dict = {"device": here, "threads": threads}
    before = os.getloadavg()[0]
    yield about
    about["load"] = {"before": before, "after": os.getloadavg()[0], "cores": os.cpu_count()}  # means over a minute


def where() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
