"""Names and shapes of a checkpoint's tensors, read without torch and without loading a tensor.

Three forms: .safetensors; a zip by torch.save (since 1.6); the older one, pickles one after another, then the numbers.
Nothing that a pickle names is imported or called: what is not a tensor or a plain container is refused.
"""

from __future__ import annotations

import json
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from audioprune.errors import UserError

Shapes = dict[str, tuple[int, ...]]
LARGEST_HEADER = 100 << 20  # bytes, as safetensors has it
OLD_MAGIC = 0x1950A86A20F9469CFC6C
BYTES = {"Double": 8, "Long": 8, "Float": 4, "Int": 4, "Half": 2, "BFloat16": 2, "Short": 2}


class _Foreign(Exception):
    """A pickle that names something else than tensors and plain containers."""


def shapes_of(path: Path) -> Shapes:
    """{name: shape} of a checkpoint, `module.` taken off and what lies under `model` unwrapped; raises UserError."""
    try:
        with open(path, "rb") as file:
            found = _safetensors(file, path) if path.suffix == ".safetensors" else _pickled(file, path)
    except UserError:
        raise
    except _Foreign as error:
        raise UserError(
            f"{path} is refused: it holds more than tensors ({error}), and reading that could run code. Save its "
            "state_dict alone, best as .safetensors"
        ) from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from None
    except Exception as error:  # whatever random bytes make of a parser
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{path} is no checkpoint, or is truncated or damaged ({what}): fetch it again") from None
    for wrapper in ("model", "state_dict"):
        if isinstance(found.get(wrapper), Mapping):
            found = found[wrapper]
            break
    shapes = {str(name).removeprefix("module."): one.shape for name, one in found.items() if isinstance(one, _Tensor)}
    if not shapes or len(shapes) != len(found):
        raise UserError(f"{path} holds no weights: expected a dictionary of tensors, or one under 'model'")
    return shapes


class _Tensor:
    def __init__(self, storage: tuple, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: object):
        self.storage, self.shape = storage, tuple(shape)
        self.values = offset + 1 + sum((n - 1) * step for n, step in zip(shape, stride, strict=True))


class _Inert:
    """What an argparse.Namespace of a checkpoint becomes."""


def _parameter(tensor: _Tensor, *_: object) -> _Tensor:
    return tensor


class _Reader(pickle.Unpickler):
    """Knows tensors, parameters, ordered dictionaries and the kinds of storage by name; imports nothing."""

    KNOWN = {
        ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
        ("torch._utils", "_rebuild_parameter"): _parameter,
        ("collections", "OrderedDict"): OrderedDict,
        ("argparse", "Namespace"): _Inert,
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in self.KNOWN:
            return self.KNOWN[module, name]
        if module == "torch" and (name.endswith("Storage") or name.startswith(("float", "int", "bfloat", "uint"))):
            return name
        raise _Foreign(f"{module}.{name}")

    def persistent_load(self, given: Any) -> Any:
        return tuple(given)  # ("storage", kind, key, device, number of values, ...)


def _safetensors(file: IO[bytes], path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    length = int.from_bytes(file.read(8), "little")
    if length > min(LARGEST_HEADER, size - 8):
        raise ValueError("its header is longer than the file")
    header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    ends = max((entry["data_offsets"][1] for entry in header.values()), default=0)
    if size != 8 + length + ends:
        raise ValueError(f"it has {size} bytes, its header says {8 + length + ends}")
    return {name: _Tensor((), 0, tuple(entry["shape"]), (0,) * len(entry["shape"])) for name, entry in header.items()}


def _pickled(file: IO[bytes], path: Path) -> dict[str, Any]:
    if not zipfile.is_zipfile(file):
        file.seek(0)
        return _old(file, path)
    with zipfile.ZipFile(file) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
        (main,) = [name for name in sizes if name.endswith("/data.pkl")]
        with archive.open(main) as pickled:
            found = _mapping(_Reader(pickled).load())
        for tensor in _tensors(found):
            kind, key, values = str(tensor.storage[1]), tensor.storage[2], tensor.storage[4]
            stored = sizes.get(f"{main.removesuffix('data.pkl')}data/{key}", -1)
            if tensor.values > values or stored < values * BYTES.get(kind.removesuffix("Storage"), 1):
                raise ValueError(f"storage {key} is incomplete")
    return found


def _old(file: IO[bytes], path: Path) -> dict[str, Any]:
    if _Reader(file).load() != OLD_MAGIC:
        raise ValueError("it does not begin like a checkpoint")
    _Reader(file).load()  # version of the protocol
    _Reader(file).load()  # about the machine
    found = _mapping(_Reader(file).load())
    _Reader(file).load()  # keys of the storages, which follow, each with its length
    storages = {one.storage[2]: (str(one.storage[1]), one.storage[4]) for one in _tensors(found)}
    needed = sum(8 + values * BYTES.get(kind.removesuffix("Storage"), 1) for kind, values in storages.values())
    if path.stat().st_size - file.tell() < needed:
        raise ValueError(f"some of its {needed} bytes of numbers are missing")
    return found


def _mapping(found: Any) -> dict[str, Any]:
    if not isinstance(found, Mapping):
        raise ValueError("it holds no dictionary")
    return dict(found)


def _tensors(found: Mapping) -> list[_Tensor]:
    """All tensors, also those of dictionaries inside (an optimiser's)."""
    inside = [one for value in found.values() if isinstance(value, Mapping) for one in _tensors(value)]
    return [value for value in found.values() if isinstance(value, _Tensor)] + inside
