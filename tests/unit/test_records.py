import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audioprune import records


def test_canonical_json_is_sorted_compact_and_refuses_nan():
    assert records.canonical({"b": [1, 2.5], "a": None}) == '{"a":null,"b":[1,2.5]}'
    with pytest.raises(ValueError, match="Out of range"):
        records.canonical({"a": float("nan")})


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=5))
def test_canonical_json_does_not_depend_on_order(value):
    assert records.canonical(value) == records.canonical(dict(reversed(value.items())))
    assert json.loads(records.canonical(value)) == value


def test_atomic_leaves_the_old_file_when_writing_fails(tmp_path):
    path = tmp_path / "x.json"
    records.write_json(path, {"a": 1})
    with pytest.raises(RuntimeError), records.atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert json.loads(path.read_text()) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_cell_folder_appears_whole_or_not_at_all(tmp_path):
    final = tmp_path / "cell" / "0123"
    with pytest.raises(RuntimeError), records.cell_folder(final) as scratch:
        (scratch / "weights.bin").write_bytes(b"half")
        raise RuntimeError
    assert not final.exists()
    assert list((tmp_path / "cell").iterdir()) == []
    with records.cell_folder(final) as scratch:
        (scratch / "files").mkdir()
        (scratch / "files" / "a.txt").write_text("abc")
        records.write_json(scratch / records.RECORD, {"files": records.listing(scratch)})
    sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert records.read(final)["files"] == {"files/a.txt": {"size": 3, "sha256": sha}}
    assert (final / "files" / "a.txt").read_text() == "abc"
