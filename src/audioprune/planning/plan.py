"""The plan that the Snakefile asks: inputs and commands of every job, from configuration, grid and keys only."""

from __future__ import annotations

import atexit
import hashlib
import sys
from functools import cache, cached_property
from pathlib import Path

from audioprune import records, registry
from audioprune.config import Config, load
from audioprune.errors import UserError
from audioprune.planning.cells import RESULTS, Cell, code_of, key_of
from audioprune.planning.freshness import Digests, State, cell_state, guard, state_of
from audioprune.planning.grid import Planner, StudyPlan
from audioprune.settings import Closed

PUBLISHED = Path("report/published")
TEMPLATES = Path("report")
DEFAULT_STUDY = "paper"  # its results lie in results/ itself
KINDS_OF_EXHIBIT = {"table": "tables", "figure": "figures"}
SUFFIXES = {"table": ("tex", "csv", "html"), "figure": ("pdf", "svg", "csv"), "report": ("html", "pdf")}


class Drawn(Closed):
    """Settings of an exhibit: whose, and which."""

    study: str
    name: str


class Plan:
    """Everything planned from one configuration; cells, states and exhibits are worked out when asked for."""

    def __init__(self, config: Config | None = None, *, main: bool = True):
        self.config = config or load()
        self.main = main
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
        if kind == "report":
            inputs = {f"{k}/{n}": self.exhibit_key(study, k, n) for k, n in self.exhibits(study)}
            digests, code = _file_digests(TEMPLATES, "*"), code_of("report", ())
        else:
            inputs = {cell.path: cell.key for cell in self.exhibit_cells(study, kind, name)}
            digests, plugins = _taken(registry.get(KINDS_OF_EXHIBIT[kind], name))
            code = code_of(kind, (registry.module_name(KINDS_OF_EXHIBIT[kind], name), *plugins))
        return key_of(kind, Drawn(study=study, name=name), inputs, digests, code)

    # --- states and guards --------------------------------------------------------------------------------------

    def _state(self, cell: Cell) -> State:
        return cell_state(cell, self.digests)

    def exhibit_state(self, study: str, kind: str, name: str) -> State:
        folder, record = study_folder(study), exhibit_record(study, name)
        return state_of(folder, record, self.exhibit_key(study, kind, name), self.digests)

    def cell_inputs(self, cell: Cell) -> tuple[list[Cell], list[Path], bool]:
        """(cells it takes in, guard file if it has to be made, whether it is fresh).

        A fresh cell does not take in what is gone: making that again must not make this one again.
        """
        upstream = list(cell.inputs.values())
        if not self.main:
            return upstream, [], False
        state = self.state(cell)
        if state.fresh:
            return [c for c in upstream if self.state(c).name != "missing"], [], True
        return upstream, [self._guard(cell.key, cell.path, state)], False

    def exhibit_inputs(self, study: str, kind: str, name: str) -> tuple[list[Cell], list[Path], bool]:
        """The same for an exhibit: of its cells those that no other is made from, and those that are gone."""
        cells = self.exhibit_cells(study, kind, name)
        inner = {upstream.path for cell in cells for upstream in cell.inputs.values()}
        leaves = [cell for cell in cells if cell.path not in inner]
        if not self.main:
            return leaves, [], False
        gone = [cell for cell in cells if cell.path in inner and self.state(cell).name == "missing"]
        return leaves + gone, *self.exhibit_guard(study, kind, name)

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


def _taken(module) -> tuple[dict[str, str], tuple[str, ...]]:
    """Digests of the files that an exhibit takes in besides cells, and the pluggable modules that it uses all of."""
    digests = dict(_file_digests(PUBLISHED, "*.csv"))
    for folder, pattern in getattr(module, "FILES", ()):
        digests |= {f"{folder}/{name}": digest for name, digest in _file_digests(Path(folder), pattern).items()}
    kinds = getattr(module, "PLUGINS", ())
    return digests, tuple(registry.module_name(kind, name) for kind in kinds for name in registry.names(kind))


@cache
def _file_digests(folder: Path, pattern: str) -> dict[str, str]:
    """{name: SHA-256} of the files directly in a folder."""
    files = sorted(p for p in folder.glob(pattern) if p.is_file())
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def write_exhibit_record(study: str, kind: str, name: str, key: str, results: dict, made: dict) -> None:
    """The record of a drawn exhibit: its key, and the size and digest of each of its files."""
    folder = study_folder(study)
    paths = [folder / f"{name}.{suffix}" for suffix in SUFFIXES[kind]]
    files = {p.name: {"size": p.stat().st_size, "sha256": records.sha256_file(p)} for p in paths}
    record = {"kind": kind, "study": study, "name": name, "key": key, "results": results, "made": made, "files": files}
    records.write_json(exhibit_record(study, name), record)
