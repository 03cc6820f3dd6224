# SPDX-License-Identifier: BSD-3-Clause
"""Arrays by name as a safetensors file: what the generators in the folders beside share."""
import json
import struct

import numpy

TYPES = {"float64": "F64", "float32": "F32", "int64": "I64", "bool": "BOOL"}


def write(path, arrays):
    """NumPy arrays, or PyTorch's tensors, in the order of their names."""
    header, blocks, at = {}, [], 0
    for name, x in sorted(arrays.items()):
        x = numpy.asarray(x)
        block = x.tobytes()
        header[name] = {"dtype": TYPES[str(x.dtype)], "shape": list(x.shape),
                        "data_offsets": [at, at + len(block)]}
        blocks.append(block)
        at += len(block)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blocks))
