"""Random changes, of bytes and of values: what damage, careless programs and hostile hands leave of a file."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

ODD = (0, 1, 2, 7, 8, 255, 256, 32767, 32768, 65535, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FFFF000, 1 << 24)


def mutated(seeds: list[bytes], rng: Random) -> bytes:
    """One of the seeds after one to six changes, mostly near its start, where headers are."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.randint(1, 6)):
        rng.choice(CHANGES)(data, seeds, rng)
    return bytes(data)


def _place(data: bytearray, rng: Random) -> int:
    near = min(len(data), 256) if rng.random() < 0.7 else len(data)
    return rng.randrange(near) if near else 0


def _flip(data: bytearray, seeds: list[bytes], rng: Random) -> None:
    if data:
        data[_place(data, rng)] ^= 1 << rng.randrange(8)


def _byte(data: bytearray, seeds: list[bytes], rng: Random) -> None:
    if data:
        data[_place(data, rng)] = rng.choice((0, 1, 10, 34, 44, 59, 127, 128, 255, rng.randrange(256)))


def _number(data: bytearray, seeds: list[bytes], rng: Random) -> None:
    place, width = _place(data, rng), rng.choice((2, 3, 4, 8))
    value = rng.choice(ODD) + rng.randint(-2, 2)
    data[place : place + width] = (value % (1 << 8 * width)).to_bytes(width, rng.choice(("little", "big")))


def _cut(data: bytearray, seeds: list[bytes], rng: Random) -> None:
    del data[_place(data, rng) :]


def _lose(data: bytearray, seeds: list[bytes], rng: Random) -> None:
    place = _place(data, rng)
    del data[place : place + rng.choice((1, 2, 4, 16, 512))]


def _repeat(data: bytearray, seeds: list[bytes], rng: Random) -> None:
    place = _place(data, rng)
    data[place:place] = data[place : place + rng.choice((1, 4, 8, 64))] * rng.choice((1, 2, 50))


def _graft(data: bytearray, seeds: list[bytes], rng: Random) -> None:
    """The rest becomes that of another file."""
    other = rng.choice(seeds)
    data[_place(data, rng) :] = other[rng.randrange(len(other)) if other else 0 :]


def _noise(data: bytearray, seeds: list[bytes], rng: Random) -> None:
    place = _place(data, rng)
    data[place : place + 64] = rng.randbytes(64)


CHANGES = (_flip, _flip, _byte, _byte, _number, _number, _number, _cut, _lose, _repeat, _graft, _noise)


VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 7, 10**30, 0.5, -0.0, float("nan"), float("inf"), "", "x", "../up", "a{b}", "my data",
    "<<", "1e5", "all", "\0", "\u202e", "x" * 5000, [], [[]], [None], {}, {"x": 1}, {1: 2}, "none", "tome.r5",
)  # fmt: skip


def rewritten(value: Any, rng: Random) -> Any:
    """A copy of nested mappings and lists with one to three places emptied, renamed, doubled or given another value."""
    value = copy.deepcopy(value)
    for _ in range(rng.randint(1, 3)):
        holder, place = rng.choice(list(_places(value)))
        change = rng.randrange(4)
        if change == 0:
            del holder[place]
        elif change == 1 and isinstance(holder, dict):
            holder[rng.choice(("x", "", 1, str(place) + "s", "../up", "a b"))] = holder.pop(place)
        elif change == 2:
            holder[place] = copy.deepcopy(rng.choice([h[p] for h, p in _places(value)]))
        else:
            holder[place] = copy.deepcopy(rng.choice(VALUES))
        if not value:
            return value
    return value


def _places(value: Any) -> Any:
    """(mapping or list, key or index) of everything inside."""
    for place in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, place
        if isinstance(value[place], dict | list):
            yield from _places(value[place])
