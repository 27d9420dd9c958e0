"""Writes random blocks of GGUF's formats and what the `gguf` package reads from them (pip install gguf)."""

import base64
import json
import pathlib

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

FORMATS = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q4_K", "Q6_K"]
# Where a block's float16 scales are: random bytes would make some of them infinite.
SCALES = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q4_K": [0, 2], "Q6_K": [208]}


def encode(array: np.ndarray) -> str:
    return base64.b64encode(array.tobytes()).decode()


def blocks(name: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    kind = GGMLQuantizationType[name]
    values, size = GGML_QUANT_SIZES[kind]
    if values == 1:
        numbers = rng.standard_normal(8).astype(np.float32)
        if name == "F32":
            return numbers.view(np.uint8), numbers
        if name == "F16":
            return numbers.astype(np.float16).view(np.uint8), numbers.astype(np.float16).astype(np.float32)
        raw = (numbers.view(np.uint32) >> 16).astype(np.uint16)
        return raw.view(np.uint8), dequantize(raw.view(np.uint8).reshape(1, -1), kind).ravel()
    raw = rng.integers(0, 256, (3, size), dtype=np.uint8)
    for block in raw:
        for at in SCALES[name]:
            block[at : at + 2] = np.array([rng.uniform(-0.1, 0.1)], np.float16).view(np.uint8)
    return raw.ravel(), dequantize(raw, kind).ravel()


def main() -> None:
    rng = np.random.default_rng(0)
    rows = []
    for name in FORMATS:
        raw, values = blocks(name, rng)
        rows.append({"format": name, "bytes": encode(raw), "values": encode(values.astype(np.float32))})
    pathlib.Path(__file__).with_name("blocks.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
