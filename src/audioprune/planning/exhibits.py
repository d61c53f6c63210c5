"""Tables, figures and reports as cells: the cells that each shows, the files it reads, and the code that draws it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path

import yaml

from audioprune import records, registry
from audioprune.cells.cell import Cell, study_folder
from audioprune.cells.kinds import KINDS
from audioprune.cells.state import ELSEWHERE, GUARD
from audioprune.exhibits import named
from audioprune.exhibits.named import Exhibit
from audioprune.fingerprints import accepted
from audioprune.planning.stages import Planner
from audioprune.planning.study import StudyPlan
from audioprune.settings.exhibits import Credit, ExhibitSettings, ReportSettings
from audioprune.sources import catalogue, stored

PUBLISHED = "report/published"
TEMPLATES, DOCUMENTS, CITATION = Path("report"), Path("docs"), Path("CITATION.cff")
REPORT = "report"


def exhibit(planner: Planner, study: StudyPlan, kind: str, name: str) -> Cell | None:
    """A table or figure of a study; None where the study has no cells that it shows, and it needs some."""
    module = named.get(kind, name)
    shown = {cell.path: cell for cell in module.needs(study)}
    if not shown and not getattr(module, "STANDALONE", False):
        return None
    digests = files_taken(module) | {"order": _digest([*shown])}
    declared = study.contrasts if getattr(module, "DECLARED", False) else ()
    settings = ExhibitSettings(study=study.name, name=name, row=named.row_of(kind, name), contrasts=declared)
    address = f"{study.name}/{name}"
    return planner.cell(kind, address, settings, plugins=plugins_of(kind, name), digests=digests, inputs=shown)


def report(planner: Planner, study: StudyPlan, exhibits: Collection[Cell]) -> Cell:
    """The report of a study, made of its tables and figures."""
    shown = {f"{cell.kind}/{cell.settings.name}": cell for cell in exhibits}
    about = study.study
    settings = ReportSettings(
        study=study.name, title=about.title, tier=about.tier, credits=credits(study), disputes=disputes(study)
    )
    digests = file_digests(TEMPLATES, "*") | file_digests(DOCUMENTS, "glossary.md")
    digests |= _accepted_digest() | _stored_digest(study)
    return planner.cell(REPORT, f"{study.name}/{REPORT}", settings, digests=digests, inputs=shown)


def credits(study: StudyPlan) -> tuple[Credit, ...]:
    """Whose the clips are of each dataset that a report may play: by their licence, or by the study's own word."""
    found, rows = {}, catalogue.load()
    for own in (cell.settings for cell in study.cells("audio")):
        name, facts = own.dataset, study.dataset(own.dataset)
        if own.user and study.study.report.sound:
            found[name] = Credit(dataset=name, text="The user's own data")
        elif facts.generator:
            found[name] = Credit(dataset=name, text="Made by this project")
        elif facts.source and rows[facts.source].sound:
            source = rows[facts.source]
            found[name] = Credit(dataset=name, text=f"{source.credit}, {source.licence}", each=source.credits)
    return tuple(found.values())


def disputes(study: StudyPlan) -> str:
    """Where a reader is led who disputes a verdict: as the study says, else the cited repository; empty for nowhere."""
    cited = yaml.safe_load(CITATION.read_text(encoding="utf-8")) if CITATION.is_file() else {}
    return study.study.report.disputes or str(cited.get("repository-code", ""))


def name_of(cell: Cell) -> str:
    """What users call a table, a figure or a report: `table4`, `report`."""
    return str(getattr(cell.settings, "name", REPORT))


def first_copy(cell: Cell) -> Path:
    """The first of the files of an exhibit that users find by its name."""
    return study_folder(cell.settings.study) / f"{name_of(cell)}.{KINDS[cell.kind].files[0]}"


def misspelt(studies: Iterable[str]) -> str:
    """Pattern of targets that no rule makes: neither a cell, log or guard, nor a file of an exhibit of a study."""
    names = {kind: "|".join(named.names(kind)) for kind in named.PACKAGES} | {REPORT: REPORT}
    files = "|".join(rf"(?:{name})\.(?:{'|'.join(KINDS[kind].files)})" for kind, name in names.items())
    guard = rf".*/{ELSEWHERE}[^/]*/{GUARD.name}$"
    return rf"(?!{guard}|results/(?:cells/(?:{'|'.join(KINDS)})/|logs/|(?:(?:{'|'.join(studies)})/)?(?:{files})$)).+"


def plugins_of(kind: str, name: str) -> tuple[str, ...]:
    """The pluggable modules that an exhibit's fingerprint covers: its own, and those that it uses all of."""
    kinds = getattr(named.get(kind, name), "PLUGINS", ())
    used = [registry.module_name(other, found) for other in kinds for found in registry.names(other)]
    return tuple(dict.fromkeys((named.module_of(kind, name), *used)))


def files_taken(module: Exhibit) -> dict[str, str]:
    """Digests of the files that an exhibit takes in besides cells."""
    digests: dict[str, str] = {}
    published = [(PUBLISHED, f"{name}.csv") for name in getattr(module, "PUBLISHED", ())]
    for folder, pattern in (*published, *getattr(module, "FILES", ())):
        digests |= {f"{folder}/{name}": digest for name, digest in file_digests(Path(folder), pattern).items()}
    return digests


def file_digests(folder: Path, pattern: str) -> dict[str, str]:
    """{path below the folder: SHA-256} of the files in a folder that have a pattern, such as `*.csv` or `*/*.csv`."""
    return _digests_in(folder.absolute(), pattern)


@cache
def _digests_in(folder: Path, pattern: str) -> dict[str, str]:
    files = sorted(p for p in folder.glob(pattern) if p.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def _accepted_digest() -> dict[str, str]:
    """Reports list the accepted changes of code; {} while there are none."""
    entries = [entry.model_dump(mode="json") for entry in accepted.load()]
    return {"accepted": _digest(entries)} if entries else {}


def _stored_digest(study: StudyPlan) -> dict[str, str]:
    """Reports name the checkpoints that today's code would not make; {} while there are none."""
    used = {cell.settings.source for cell in study.cells("fetch")}
    found = [(name, stored.changed(name)) for name in stored.names() if name in used]
    changed = [[name, *modules] for name, modules in found if modules]
    return {"stored": _digest(changed)} if changed else {}


def _digest(value: list) -> str:
    return hashlib.sha256(records.canonical(value).encode()).hexdigest()
