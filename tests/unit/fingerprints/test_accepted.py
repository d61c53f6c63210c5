"""Accepted changes of code: which key they keep, and which later edits they must not hide."""

from __future__ import annotations

import contextlib
import hashlib
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audioprune.errors import UserError
from audioprune.fingerprints import accepted, accepting
from audioprune.fingerprints import fingerprint as fp
from audioprune.fingerprints.accepted import Acceptance, Change, indexed
from audioprune.fingerprints.accepting import Made

Graph = dict[str, tuple[int, frozenset[str]]]  # module -> (version, imports)


def hash_of(name: str, version: int, imports: frozenset[str]) -> str:
    return hashlib.sha256(f"{name} {version} {sorted(imports)}".encode()).hexdigest()


@contextlib.contextmanager
def code(graph: Graph):
    """The project's modules are those of a graph."""
    parsed = {name: (hash_of(name, *rest), rest[1]) for name, rest in graph.items()}
    with (
        mock.patch.object(fp, "_parsed", parsed.__getitem__),
        mock.patch.object(fp, "module_path", lambda name: name if name in parsed else None),
    ):
        fp.closure.cache_clear()
        yield
    fp.closure.cache_clear()


def graph(**modules: str) -> Graph:
    """step='1 fbank loop': version and imports."""
    return {name: (int(text.split()[0]), frozenset(text.split()[1:])) for name, text in modules.items()}


def made(old: Graph, *roots: tuple[str, ...]) -> list[Made]:
    with code(old):
        return [Made("/".join(r), r, fp.closure(r)) for r in roots]


def counted(new: Graph, changes, *roots: tuple[str, ...]) -> list[dict[str, str]]:
    with code(new):
        return [fp.counted(r, changes) for r in roots]


BEFORE = graph(step="1 fbank loop", fbank="1", loop="1", topk="1 loop", speaker="1 mel", mel="1")
ROOTS = [("step",), ("step", "topk"), ("step", "speaker")]


def accept(cells: list[Made], new: Graph, changes=None):
    with code(new):
        found = accepting.find(cells, changes or {})
    return indexed([found], changes or {})


def test_a_module_edited_twice_keeps_the_first_key_and_a_third_edit_does_not():
    cells = made(BEFORE, *ROOTS)
    second, third = BEFORE | graph(loop="2"), BEFORE | graph(loop="3")
    changes = accept(cells, second)
    assert counted(second, changes, *ROOTS) == [cell.code for cell in cells]
    assert counted(third, changes, *ROOTS)[0] != cells[0].code
    changes = accept(cells, third, changes)
    for state in (BEFORE, second, third):  # the reverted code gives the old key, too
        assert counted(state, changes, *ROOTS) == [cell.code for cell in cells]
    assert counted(BEFORE | graph(loop="4"), changes, ("step",))[0] != cells[0].code


def test_a_chain_is_followed_entry_by_entry():
    first, second, third = ({"loop": hash_of("loop", i, frozenset())} for i in (1, 2, 3))
    changes = indexed(
        [
            {"loop": Change(old=second["loop"], new=third["loop"])},
            {"loop": Change(old=first["loop"], new=second["loop"])},
        ],
        {},
    )
    for version in (1, 2, 3):
        assert counted(graph(loop=str(version)), changes, ("loop",)) == [first]


def test_entries_that_lead_in_a_circle_end():
    one, two = (hash_of("loop", i, frozenset()) for i in (1, 2))
    changes = indexed([{"loop": Change(old=one, new=two)}, {"loop": Change(old=two, new=one)}], {})
    assert counted(graph(loop="2"), changes, ("loop",)) == [{"loop": one}]


def test_a_module_split_in_two_counts_as_one_until_either_half_is_edited():
    cells = made(BEFORE, *ROOTS)
    split = BEFORE | graph(fbank="2 mel")  # speaker took mel in before: its cell keeps it, the others lose it
    changes = accept(cells, split)
    assert counted(split, changes, *ROOTS) == [cell.code for cell in cells]
    edited = split | graph(mel="2")
    assert all(a != cell.code for a, cell in zip(counted(edited, changes, *ROOTS), cells))
    changes = accept(cells[:2], edited, changes)  # the edit is accepted for those that did not know mel
    assert counted(edited, changes, *ROOTS[:2]) == [cell.code for cell in cells[:2]]
    assert counted(split, changes, *ROOTS) == [cell.code for cell in cells]


def test_two_modules_made_one_count_as_two():
    cells = made(BEFORE, *ROOTS)
    joined = BEFORE | graph(speaker="2")
    del joined["mel"]
    changes = accept(cells, joined)
    assert changes["speaker", hash_of("speaker", 2, frozenset())][0].dropped == {"mel": cells[2].code["mel"]}
    assert counted(joined, changes, *ROOTS) == [cell.code for cell in cells]


def test_a_renamed_module_counts_under_its_old_name():
    cells = made(BEFORE, *ROOTS)
    renamed = BEFORE | graph(step="2 fbank train", train="1", topk="2 train")
    del renamed["loop"]
    changes = accept(cells, renamed)
    assert counted(renamed, changes, *ROOTS) == [cell.code for cell in cells]
    assert counted(renamed | graph(train="2"), changes, ("step",))[0] != cells[0].code


def test_cells_made_with_different_old_code_are_refused_with_what_to_do():
    cells = made(BEFORE, ("step",)) + made(BEFORE | graph(loop="2"), ("step", "topk"))
    with code(BEFORE | graph(loop="3")), pytest.raises(UserError, match=r"(?s)loop .*1 cells.*--like CELL"):
        accepting.find(cells, {})


def test_what_no_changed_module_explains_is_refused():
    cells = made(BEFORE, ("step",))
    cells[0].code["vanished"] = "0" * 64  # taken in by nobody who changed
    with code(BEFORE), pytest.raises(UserError, match=r"more than changed modules .*gone: vanished"):
        accepting.find(cells, {})


def test_nothing_is_found_where_nothing_changed():
    with code(BEFORE):
        assert accepting.find(made(BEFORE, *ROOTS), {}) == {}


NAMES = "abcdef"
edits = st.fixed_dictionaries(
    {
        n: st.tuples(st.integers(1, 2), st.frozensets(st.sampled_from(NAMES[i + 1 :] or "f")))
        for i, n in enumerate(NAMES)
    }
)


@given(old=edits, new=edits, roots=st.lists(st.frozensets(st.sampled_from("bcd"), max_size=2), max_size=3))
@settings(max_examples=40, deadline=None)
def test_any_change_of_any_code_can_be_accepted_and_hides_no_later_edit(old, new, roots):
    roots = list(dict.fromkeys(("a", *sorted(extra)) for extra in roots)) or [("a",)]
    cells = made(old, *roots)
    wanted = [cell.code for cell in cells]
    changes = accept(cells, new)
    assert counted(new, changes, *roots) == wanted
    assert counted(old, changes, *roots) == wanted
    for root, now in zip(roots, counted(new, {}, *roots)):
        for module in now:
            edited = new | {module: (3, new[module][1])}
            assert counted(edited, changes, root)[0] not in wanted, f"an edit of {module} is hidden"


def test_entries_are_kept_in_a_file_that_people_can_read(tmp_path, monkeypatch):
    monkeypatch.setattr(accepted, "FILE", tmp_path / "workflow" / "accepted.yaml")
    accepted.forget()
    assert accepted.load() == ()
    change = Change(old="a" * 64, new="b" * 64, brought={"audioprune.facts.mel": "c" * 64})
    common = {"date": "2026-01-02", "commit": "0123456", "dirty": True}
    entries = [
        Acceptance(kind=kind, why="same bits: the sums are taken in the same order", modules={"m": change}, **common)
        for kind in ("finetune", "evaluate")
    ]
    for entry in entries:
        accepted.append(entry)
    accepted.forget()
    assert list(accepted.load()) == entries
    assert accepted.changes_of("finetune") == {("m", "b" * 64): [change]}
    assert accepted.changes_of("trace") == {}
    text = accepted.FILE.read_text()
    assert text.startswith("# Changes of code that give the same results")
    assert text.count("# Changes of code") == 1
    accepted.FILE.write_text(text.replace("b" * 64, "b" * 63, 1))
    accepted.forget()
    with pytest.raises(UserError, match=r"accepted.yaml cannot be used; mend it.*\n.*0.modules.m.new"):
        accepted.load()
    monkeypatch.undo()
    accepted.forget()
