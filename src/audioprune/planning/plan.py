"""The plan that the Snakefile asks: inputs and commands of every job, from configuration, grid and keys only."""

from __future__ import annotations

import atexit
import hashlib
import sys
from collections.abc import Callable, Iterable
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType

from audioprune import records, registry
from audioprune.config import Config, load
from audioprune.errors import UserError
from audioprune.planning import accepted, batches, brought, sheets
from audioprune.planning.batches import Batch
from audioprune.planning.cells import RESULTS, Cell, code_of, key_of
from audioprune.planning.fingerprint import code_record
from audioprune.planning.freshness import Digests, State, cell_state, guard, state_of
from audioprune.planning.grid import Planner, StudyPlan
from audioprune.planning.sheets import Sheet
from audioprune.planning.targets import DEFAULT_STUDY, Exhibit, asked_for, cells_of, drawn_together
from audioprune.settings import Closed

PUBLISHED = "report/published"
TEMPLATES = Path("report")
KINDS_OF_EXHIBIT = {"table": "tables", "figure": "figures"}
SUFFIXES = {"table": ("tex", "csv", "html", "json"), "figure": ("pdf", "svg", "csv"), "report": ("html", "pdf")}


class Drawn(Closed):
    """Settings of an exhibit: whose, which, and what it prints of the study's block of config.yaml."""

    study: str
    name: str
    title: str = ""
    tier: str = ""


class Plan:
    """Everything planned from one configuration; cells, states and exhibits are worked out when asked for."""

    def __init__(
        self,
        config: Config | None = None,
        *,
        main: bool = True,
        targets: Callable[[], frozenset[str]] | None = None,
    ):
        """`targets` says what this run was asked for; without it no cells are batched."""
        self.config = config or load()
        brought.check(self.config)
        self.main = main
        self.targets = targets
        self.planner = Planner(self.config)
        self.study = cache(self._study)
        self.state = cache(self._state)
        self.exhibit_key = cache(self._exhibit_key)
        self.exhibit_cells = cache(self._exhibit_cells)

    @cached_property
    def digests(self) -> Digests:
        digests = Digests()
        if self.main:
            atexit.register(digests.save)
        return digests

    def _study(self, name: str) -> StudyPlan:
        if name not in self.config.studies:
            raise UserError(f"config.yaml has no study {name!r}{registry.nearest(name, self.config.studies)}")
        return self.planner.study(name)

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """{path: cell} of all studies."""
        for name in self.config.studies:
            self.study(name)
        return self.planner.made

    # --- exhibits -----------------------------------------------------------------------------------------------

    def exhibits(self, study: str) -> list[tuple[str, str]]:
        """(kind, name) of the tables and figures that this study has cells for."""
        found = [(kind, name) for kind, folder in KINDS_OF_EXHIBIT.items() for name in registry.names(folder)]
        return [(kind, name) for kind, name in found if self.has_exhibit(study, kind, name)]

    def has_exhibit(self, study: str, kind: str, name: str) -> bool:
        """Whether the study has cells for it, or it needs none."""
        module = registry.get(KINDS_OF_EXHIBIT[kind], name)
        return getattr(module, "STANDALONE", False) or bool(self.exhibit_cells(study, kind, name))

    def _exhibit_cells(self, study: str, kind: str, name: str) -> tuple[Cell, ...]:
        """The cells that an exhibit shows, and all that those are made from."""
        module = registry.get(KINDS_OF_EXHIBIT[kind], name)
        found: dict[str, Cell] = {}
        for cell in module.needs(self.study(study)):
            found.update(cell.upstream())
        return tuple(found.values())

    def _exhibit_key(self, study: str, kind: str, name: str) -> str:
        inputs, digests = self.exhibit_content(study, kind, name)
        code = code_of(kind, exhibit_plugins(kind, name))
        return key_of(kind, self.exhibit_settings(study, kind, name), inputs, digests, code)

    def exhibit_settings(self, study: str, kind: str, name: str) -> Drawn:
        """An exhibit's settings; a report alone prints the study's title and tier."""
        printed = self.config.studies[study] if kind == "report" else None
        about = {"title": printed.title, "tier": printed.tier} if printed else {}
        return Drawn(study=study, name=name, **about)

    def exhibit_content(self, study: str, kind: str, name: str) -> tuple[dict[str, str], dict[str, str]]:
        """What enters an exhibit's key beside its settings and its code: (keys of what it shows, digests of the files
        it reads and of the order in which it gets its cells)."""
        if kind == "report":
            inputs = {f"{k}/{n}": self.exhibit_key(study, k, n) for k, n in self.exhibits(study)}
            return inputs, _file_digests(TEMPLATES, "*") | _accepted_digest()
        inputs = {cell.path: cell.key for cell in self.exhibit_cells(study, kind, name)}
        return inputs, _files_taken(registry.get(KINDS_OF_EXHIBIT[kind], name)) | {"order": _digest([*inputs])}

    # --- states and guards --------------------------------------------------------------------------------------

    def _state(self, cell: Cell) -> State:
        return cell_state(cell, self.digests)

    def exhibit_state(self, study: str, kind: str, name: str) -> State:
        folder, record = study_folder(study), exhibit_record(study, name)
        return state_of(folder, record, self.exhibit_key(study, kind, name), self.digests)

    @cached_property
    def asked(self) -> list[list[Exhibit]]:
        """The exhibits of each target of this run; nothing where it is not known, or in a job's own process."""
        return asked_for(self, self.targets()) if self.main and self.targets is not None else []

    @cached_property
    def batches(self) -> dict[str, Batch]:
        """{path of a stale cell: the batch that will make it}, their lists written."""
        wanted = {path: cell for exhibits in self.asked for path, cell in cells_of(self, exhibits).items()}
        found = batches.batches_of(cell for cell in wanted.values() if not self.state(cell).fresh)
        for batch in {batch.name: batch for batch in found.values()}.values():
            batch.write()
        self.batch_named = {batch.name: batch for batch in found.values()}
        return found

    def made_as(self, cell: Cell) -> str:
        """The file that says that a cell is there: its record, or the stamp of the batch that will make it."""
        batch = self.batches.get(cell.path)
        return str(batch.stamp if batch else cell.dir / records.RECORD)

    @cached_property
    def sheets(self) -> dict[Exhibit, Sheet]:
        """{a stale exhibit of a report that was asked for: the sheet it will be drawn on}, their lists written."""
        stale = [e for e in drawn_together(self.asked) if not self.exhibit_state(*e).fresh]
        found = sheets.sheets_of((e, self.exhibit_key(*e)) for e in stale)
        self.sheet_named = {sheet.name: sheet for sheet in found.values()}
        for sheet in self.sheet_named.values():
            sheet.write(self.sheet_inputs(sheet.name)[0])
        return found

    def cell_inputs(self, cell: Cell) -> tuple[list[str], list[Path], bool]:
        """(files it takes in, guard file if it has to be made, whether it is fresh).

        A fresh cell does not take in what is gone: making that again must not make this one again.
        """
        upstream = list(cell.inputs.values())
        if not self.main:
            return self._files(upstream), [], False
        state = self.state(cell)
        if state.fresh:
            return self._files(c for c in upstream if self.state(c).name != "missing"), [], True
        return self._files(upstream), [self._guard(cell.key, cell.path, state)], False

    def batch_inputs(self, name: str) -> tuple[list[str], list[Path], bool]:
        """The same for a batch, which is stale by its nature."""
        if not self.main:
            return batches.read(name)["inputs"], [], False
        batch = self.batch_named[name]
        guards = [self._guard(cell.key, cell.path, self.state(cell)) for cell in batch.cells]
        return self._files(batch.inputs), guards, False

    def exhibit_inputs(self, study: str, kind: str, name: str) -> tuple[list[str], list[Path], bool]:
        """The same for an exhibit: of its cells those that no other is made from, and those that are gone."""
        cells = self.exhibit_cells(study, kind, name)
        inner = {upstream.path for cell in cells for upstream in cell.inputs.values()}
        leaves = [cell for cell in cells if cell.path not in inner]
        if not self.main:
            return self._files(leaves), [], False
        gone = [cell for cell in cells if cell.path in inner and self.state(cell).name == "missing"]
        return self._files(leaves + gone), *self.exhibit_guard(study, kind, name)

    def sheet_inputs(self, name: str) -> tuple[list[str], list[Path], bool]:
        """The same for a sheet, which is stale by its nature."""
        if not self.main:
            return sheets.read(name)["inputs"], [], False
        found = [self.exhibit_inputs(*exhibit) for exhibit in self.sheet_named[name].keys]
        files = dict.fromkeys(file for files, _, _ in found for file in files)
        return list(files), [guard for _, guards, _ in found for guard in guards], False

    def report_inputs(self, study: str) -> tuple[list[str], list[Path], bool]:
        """The same for a report: of each exhibit its first file, or the stamp of the sheet that it will be drawn on.

        A fresh report, of which exhibits are damaged, waits for no stamp: what is not there would make it again.
        """
        guards, fresh = self.exhibit_guard(study, "report", "report")
        files: dict[str, None] = {}
        for kind, name in self.exhibits(study):
            sheet = None if fresh else self.sheets.get((study, kind, name))
            files[str(sheet.stamp if sheet else study_folder(study) / f"{name}.{SUFFIXES[kind][0]}")] = None
        return list(files), guards, fresh

    def _files(self, cells: Iterable[Cell]) -> list[str]:
        return list(dict.fromkeys(map(self.made_as, cells)))

    def exhibit_guard(self, study: str, kind: str, name: str) -> tuple[list[Path], bool]:
        if not self.main:
            return [], False
        state = self.exhibit_state(study, kind, name)
        return ([], True) if state.fresh else ([self._guard(f"{study}-{name}", f"{study} {name}", state)], False)

    def _guard(self, name: str, what: str, state: State) -> Path:
        if state.name == "damaged":
            print(f"audioprune: {state.why}; {what} will be made again", file=sys.stderr)
        return guard(name, state.why)


def study_folder(study: str) -> Path:
    return RESULTS if study == DEFAULT_STUDY else RESULTS / study


def exhibit_record(study: str, name: str) -> Path:
    return RESULTS / "exhibits" / study / f"{name}.json"


def _files_taken(module: ModuleType) -> dict[str, str]:
    """Digests of the files that an exhibit takes in besides cells."""
    digests = {}
    published = [(PUBLISHED, f"{name}.csv") for name in getattr(module, "PUBLISHED", ())]
    for folder, pattern in (*published, *getattr(module, "FILES", ())):
        digests |= {f"{folder}/{name}": digest for name, digest in _file_digests(Path(folder), pattern).items()}
    return digests


def _file_digests(folder: Path, pattern: str) -> dict[str, str]:
    """{name: SHA-256} of the files directly in a folder."""
    return _digests_in(folder.absolute(), pattern)


@cache
def _digests_in(folder: Path, pattern: str) -> dict[str, str]:
    files = sorted(p for p in folder.glob(pattern) if p.is_file())
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def exhibit_plugins(kind: str, name: str) -> tuple[str, ...]:
    """The pluggable modules that an exhibit's fingerprint covers: its own, and those that it uses all of."""
    if kind not in KINDS_OF_EXHIBIT:
        return ()
    folder = KINDS_OF_EXHIBIT[kind]
    kinds = getattr(registry.get(folder, name), "PLUGINS", ())
    used = [registry.module_name(other, found) for other in kinds for found in registry.names(other)]
    return tuple(dict.fromkeys((registry.module_name(folder, name), *used)))


def _accepted_digest() -> dict[str, str]:
    """Reports list the accepted changes of code; {} while there are none."""
    entries = [entry.model_dump(mode="json") for entry in accepted.load()]
    return {"accepted": _digest(entries)} if entries else {}


def _digest(value: list) -> str:
    return hashlib.sha256(records.canonical(value).encode()).hexdigest()


def write_exhibit_record(study: str, kind: str, name: str, key: str, results: dict, made: dict) -> None:
    """The record of a drawn exhibit: its key, and the size and digest of each of its files."""
    folder = study_folder(study)
    paths = [folder / f"{name}.{suffix}" for suffix in SUFFIXES[kind]]
    files = {p.name: {"size": p.stat().st_size, "sha256": records.sha256_file(p)} for p in paths}
    record = {"kind": kind, "study": study, "name": name, "key": key, "results": results, "made": made, "files": files}
    record |= code_record(kind, exhibit_plugins(kind, name))
    records.write_json(exhibit_record(study, name), record)
