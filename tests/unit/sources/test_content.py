from __future__ import annotations

import hashlib
import os

from hypothesis import given
from hypothesis import strategies as st

from audioprune.sources import catalogue
from audioprune.sources.content import digest_of, file_digests


def test_digest_is_sha256_over_sorted_lines(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "two words.txt").write_bytes(b"x")
    (tmp_path / "a.txt").write_bytes(b"")
    x, empty = hashlib.sha256(b"x").hexdigest(), hashlib.sha256(b"").hexdigest()
    found = file_digests(tmp_path)
    assert found == {"a.txt": empty, "b/two words.txt": x}
    lines = sorted([f"{x} b/two words.txt\n", f"{empty} a.txt\n"])
    assert digest_of(found) == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_time_and_mode_do_not_count(tmp_path):
    (tmp_path / "a").write_bytes(b"sound")
    before = digest_of(file_digests(tmp_path))
    os.utime(tmp_path / "a", (1, 1))
    (tmp_path / "a").chmod(0o600)
    assert digest_of(file_digests(tmp_path)) == before


names = st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1)
tables = st.dictionaries(names, st.binary(max_size=4).map(lambda b: hashlib.sha256(b).hexdigest()), min_size=1)


@given(tables, st.randoms())
def test_order_does_not_count_and_every_file_does(table, random):
    items = list(table.items())
    random.shuffle(items)
    assert digest_of(dict(items)) == digest_of(table)
    name, sha256 = items[0]
    other = {**table, name: hashlib.sha256(sha256.encode()).hexdigest()}
    fewer = {k: v for k, v in table.items() if k != name}
    assert len({digest_of(t) for t in (table, other, fewer)}) == 3


def test_declared_digests_are_those_of_the_real_archives_only(esc10_files, fsdd_files):
    for name, files in (("esc10", esc10_files), ("fsdd", fsdd_files)):
        row, found = catalogue.load()[name], file_digests(files.root)
        assert len(found) == row.files
        assert (digest_of(found) == row.content) == files.real
        size = sum(p.stat().st_size for p in files.root.rglob("*") if p.is_file())
        assert (size == row.bytes) == files.real
