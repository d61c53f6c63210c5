"""Step `fetch`: the files of one row of workflow/sources.yaml, checked by their content digest."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from audioprune import disk, registry
from audioprune.errors import UserError
from audioprune.models import tensors
from audioprune.planning.brought import as_planned
from audioprune.records import sha256_file
from audioprune.settings.data import FetchSettings
from audioprune.sources import catalogue, content, manifest, mirror, stored
from audioprune.sources.download import download
from audioprune.sources.extract import extract, is_archive
from audioprune.sources.place import FILES, brought
from audioprune.steps._run import Job, main

log = logging.getLogger("audioprune")


def fetch(job: Job[FetchSettings]) -> dict:
    """Leave `files/...`; results: content digest, number and size of files, and where each archive came from.

    Data that may not be fetched stays where the user has it; a single file (a checkpoint) is copied.
    """
    rows, name = catalogue.load(), job.settings.source
    if name not in rows:
        raise UserError(f"workflow/sources.yaml has no row {name!r}{registry.nearest(name, rows)}")
    source, files = rows[name], job.out / FILES
    results = {"source": name, "version": source.version, "licence": source.licence}
    if source.manual:
        return results | _bring(job, name, source, files)
    if source.pretraining:
        files.mkdir()
        shutil.copyfile(stored.weights_of(name), files / stored.weights_of(name).name)
        return results | check(name, source, files)
    here = {archive: obtain(archive, job.resume, source.mib) for archive in source.archives}
    try:
        for path, _ in here.values():
            unpack(path, source, files)
        results |= check(name, source, files)
    except disk.FullDisk:
        raise
    except UserError:
        for archive in source.archives:
            if not archive.sha256:  # whole, but perhaps wrong: the next run downloads it again
                (job.resume / archive.file).unlink(missing_ok=True)
        raise
    shutil.rmtree(job.resume, ignore_errors=True)
    return results | {"archives": {archive.file: origin for archive, (_, origin) in here.items()}}


def unpack(archive: Path, source: catalogue.Source, files: Path) -> None:
    """Extract what the row keeps; a file that is no archive is copied."""
    if is_archive(archive.name):
        extract(archive, files, strip=source.strip, keep=source.keep, limit=source.bytes or 0)
    else:
        files.mkdir(exist_ok=True)
        shutil.copyfile(archive, files / archive.name)


def obtain(archive: catalogue.Archive, downloads: Path, mib: int = 0) -> tuple[Path, str]:
    """(path of the archive, `mirror` or `download`): from the mirror folder where it is there, else by its address."""
    path = mirror.find(archive.file)
    if path is None:
        done = downloads / archive.file
        if not done.is_file():
            download(archive.url, done, size=archive.size, sha256=archive.sha256, mib=mib)
        return done, "download"
    if archive.tensors:
        if (got := tensors.digest(path)) != archive.tensors:
            raise UserError(
                f"{path} in the mirror folder does not hold the published weights: the digest of its tensors is {got}, "
                f"expected {archive.tensors}; replace it by {archive.url}"
            )
    elif archive.sha256 and (got := sha256_file(path)) != archive.sha256:
        raise UserError(
            f"{path} in the mirror folder is not the published archive: its SHA-256 is {got}, expected "
            f"{archive.sha256}; replace it by {archive.url}"
        )
    return path, "mirror"


def check(name: str, source: catalogue.Source, files: Path) -> dict:
    """Content digest, number and size of the files; raises UserError where they are not the declared ones."""
    got = content.file_digests(files)
    digest, size = content.digest_of(got), sum(p.stat().st_size for p in files.rglob("*") if p.is_file())
    if source.content and digest != source.content:
        if source.pretraining:
            raise UserError(f"{stored.weights_of(name)} is not what was committed: restore it from the repository")
        raise UserError(
            f"{name}: the files are not the expected ones: content digest {digest} ({len(got)} files, {size} bytes), "
            f"expected {source.content} ({source.files} files, {source.bytes} bytes); the archive was changed or "
            f"damaged: get {', '.join(a.file for a in source.archives)} again from {source.home}"
        )
    if not source.content and not all(archive.sha256 for archive in source.archives):
        log.warning(
            "%s: no digest is declared, so nothing says that these are the published files; where they are, enter "
            "content: %s, files: %d, bytes: %d in workflow/sources.yaml", name, digest, len(got), size,
        )  # fmt: skip
    return {"content": digest, "declared": bool(source.content), "files": len(got), "bytes": size}


def _bring(job: Job[FetchSettings], name: str, source: catalogue.Source, files: Path) -> dict:
    try:
        found = brought(name)
    except UserError as error:
        raise UserError(f"{error}\n{source.title} cannot be fetched. {source.manual.strip()}") from None
    found = manifest.refresh(found)
    as_planned(name, found, job.kind, job.settings, job.key)
    if found.root.is_file():
        files.mkdir()
        shutil.copyfile(found.root, files / found.root.name)
        if content.digest_of(content.file_digests(files)) != manifest.digest(found):
            raise UserError(f"{found.root} was changed while it was copied; run Snakemake again when it is complete")
    return {"content": manifest.digest(found), "declared": False, "files": len(found.files), "bytes": found.size}


if __name__ == "__main__":
    main(fetch)
