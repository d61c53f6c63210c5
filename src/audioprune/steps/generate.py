"""Generated audio: a generator's clips, made by several processes, in order."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import chain

import numpy as np

from audioprune import registry
from audioprune.audio.ordered import in_order
from audioprune.audio.store import write_store
from audioprune.facts.mel import SAMPLE_RATE
from audioprune.progress import track
from audioprune.settings.data import GenerateSettings
from audioprune.steps._run import Job, main

CHUNK = 16  # clips made by one call of a worker


def generate(job: Job[GenerateSettings]) -> dict:
    labels: Counter = Counter()

    def counted() -> Iterator[tuple[dict, np.ndarray]]:
        for row, waveform in track(made(job.settings), f"making {job.settings.generator}", job.settings.clips):
            labels.update(row["labels"])
            yield row, waveform

    written = write_store(job.out, counted())
    return {
        "clips": written.clips,
        "hours": round(written.samples / SAMPLE_RATE / 3600, 6),
        "clipped_samples": written.clipped,
        "labels": {str(label): n for label, n in sorted(labels.items())},
    }


def made(settings: GenerateSettings, workers: int | None = None) -> Iterator[tuple[dict, np.ndarray]]:
    """All (row, waveform) of a generator in order; the same whatever the number of workers."""
    chunks = [range(start, min(start + CHUNK, settings.clips)) for start in range(0, settings.clips, CHUNK)]
    workers = min(workers or processes(), len(chunks))
    if workers == 1:
        yield from chain.from_iterable(_chunk((settings, chunk)) for chunk in chunks)
        return
    # Fresh processes rather than forks: forking is unsafe on macOS once a numerical library has started threads.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _end_with_parent) as pool:
        work = in_order(pool, _chunk, ((settings, chunk) for chunk in chunks), 4 * workers)
        yield from chain.from_iterable(work)


def processes() -> int:
    """Processor cores that this job may use: what Snakemake allotted (it sets OMP_NUM_THREADS), else all there are."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdigit() and int(given):
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _end_with_parent() -> None:
    """Let a worker end when the step is killed; by itself it would wait for work for ever."""

    def watch() -> None:
        parent = multiprocessing.parent_process()
        assert parent is not None  # this runs in workers
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _chunk(work: tuple[GenerateSettings, range]) -> list[tuple[dict, np.ndarray]]:
    settings, numbers = work
    return list(registry.get("generators", settings.generator).clips(settings, numbers))


if __name__ == "__main__":
    main(generate)
