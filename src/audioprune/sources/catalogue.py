"""Every download has a row in workflow/sources.yaml: its address, content, licence and digest."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Self

import yaml
from pydantic import Field, StringConstraints, ValidationError, model_validator

from audioprune.errors import UserError
from audioprune.records import canonical
from audioprune.settings.closed import Closed

CHECKPOINT = "checkpoint-"  # what the names of checkpoints begin with, before the backbone
FILE = Path(__file__).parents[3] / "workflow" / "sources.yaml"

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$")]


class Archive(Closed):
    """One remote file; .tar.gz, .tgz, .tar and .zip are unpacked, anything else is kept as it is."""

    url: Url
    file: str = Field(description="its name in a mirror folder")
    size: int | None = Field(None, gt=0, description="bytes; None where the host makes the archive on demand")
    sha256: Sha256 | None = Field(None, description="None where the host makes the archive on demand")
    tensors: Sha256 | None = Field(
        None, description="of a checkpoint: digest of its tensors, by which a mirror's file of other bytes is taken"
    )

    @model_validator(mode="after")
    def _plain_name(self) -> Self:
        if PurePosixPath(self.file).name != self.file or self.file in ("", ".", ".."):
            raise ValueError(f"file must be a plain file name, not {self.file!r}")
        return self


class Source(Closed):
    """One row. A row with `manual` is never fetched: its text says how the user brings the data.

    One with `pretraining` lies in the repository (audioprune.sources.stored).
    """

    title: str
    version: str = Field(description="commit, release or date")
    home: Url | None = Field(None, description="none of what lies in the repository")
    licence: str
    credit: str
    sound: bool = Field(False, description="its licence lets a report hand on single clips with their credit")
    credits: str = Field("", description="the kept file in which every clip is credited by itself")
    archives: tuple[Archive, ...] = ()
    mib: int = Field(gt=0, description="about how much is downloaded, for plans and progress")
    strip: int = Field(0, ge=0, description="leading folders of the archives' paths that are dropped")
    keep: tuple[str, ...] = Field(("*",), description="which files are extracted, shell patterns; * crosses folders")
    content: Sha256 | None = Field(None, description="content digest of the kept files (audioprune.sources.content)")
    files: int | None = Field(None, gt=0, description="number of kept files")
    bytes: int | None = Field(None, gt=0, description="size of all kept files")
    manual: str = ""
    pretraining: str = Field("", description="the block of config.yaml by which it was made; it lies in the repository")
    note: str = ""

    @model_validator(mode="after")
    def _either(self) -> Self:
        if sum(map(bool, (self.archives, self.manual, self.pretraining))) != 1:
            raise ValueError("give either archives, or manual instructions for what may not be fetched, or pretraining")
        if not (self.home or self.pretraining):
            raise ValueError("home is missing: the address that it comes from")
        if self.pretraining and not self.content:
            raise ValueError("what lies in the repository needs a content digest")
        if self.credits and not self.sound:
            raise ValueError("credits are for clips that may be handed on: sound")
        if self.content and not (self.files and self.bytes):
            raise ValueError("a content digest needs files and bytes beside it")
        return self

    @property
    def pin(self) -> str:
        """What enters the key of its fetch cell; empty for manual data, which a manifest pins.

        The content digest. Where none is declared yet: a digest of what is asked for (addresses and published
        checksums of the archives, and what is kept of them).
        """
        if self.content or self.manual:
            return self.content or ""
        asked = self.model_dump(mode="json", include={"version", "archives", "strip", "keep"})
        for archive in asked["archives"]:
            del archive["tensors"]  # says again what the checksum says
        return hashlib.sha256(canonical(asked).encode()).hexdigest()


def load(path: Path = FILE) -> dict[str, Source]:
    """{name: row} of workflow/sources.yaml; raises one UserError that lists every mistake."""
    return dict(_load(path))


@cache
def _load(path: Path) -> dict[str, Source]:
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing: it lists what can be fetched; restore it from the repository") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is not plain YAML: {error}") from None
    if not isinstance(table, dict):
        raise UserError(f"{path} is empty or not a mapping of names to rows")
    rows: dict[str, Source] = {}
    errors: list[str] = []
    for name, row in table.items():
        try:
            rows[name] = Source.model_validate(row)
        except ValidationError as error:
            places = (".".join(map(str, (name, *e["loc"]))) + f": {e['msg']}" for e in error.errors())
            errors += places
    if errors:
        raise UserError(f"{path} has {len(errors)} error(s):\n" + "\n".join(f"  {error}" for error in errors))
    return rows
