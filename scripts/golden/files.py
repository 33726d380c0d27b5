"""The two formats of golden files, and where they lie."""
import json
import struct
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).resolve().parents[2] / "test" / "golden"


def write_json(name, value, rows=None):
    """JSON with shortest exact numbers; one top-level entry a line, or one element of value[rows] a line."""
    compact = lambda v: json.dumps(v, separators=(",", ":"), allow_nan=False)
    body = lambda key, v: "[\n" + ",\n".join(map(compact, v)) + "\n]" if key == rows else compact(v)
    lines = [f"{compact(key)}:{body(key, v)}" for key, v in value.items()]
    (GOLDEN / name).write_text("{\n" + ",\n".join(lines) + "\n}\n")


def write_safetensors(name, tensors, metadata):
    """A safetensors file of float64 or float32 arrays: 8-byte length, JSON header padded to a multiple of 8, little-endian data."""
    header, at = {"__metadata__": metadata}, 0
    for key, array in tensors.items():
        dtype = "F32" if array.dtype == np.float32 else "F64"
        header[key] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    data = b"".join(array.astype(array.dtype.newbyteorder("<")).tobytes() for array in tensors.values())
    (GOLDEN / name).write_bytes(struct.pack("<Q", len(text)) + text + data)
