"""Bytes that the ISO standard's coder (NNC, ISO/IEC 15938-17: DeepCABAC) needs for integer arrays: payload only.

    python -m venv nnc && nnc/bin/pip install nncodec==2.1.3 'numpy<2' torch
    python benchmarks/artifact_sizes.py --nnc nnc/bin/python     # which runs this file with that Python

Reads an .npz of integer matrices (units, inputs), writes their bytes as JSON. Each is coded by itself, with row
skipping or without, with adaptation rates chosen by its encoder: whichever takes least.
"""

import json
import sys

import numpy as np
from nncodec.extensions import deepCABAC
from nncodec.nnc_core.hdsp.hdsp_tool import HDSP_OPTS_OFF

UNARY_LENGTH = 10  # nncodec's own default


def payload_bytes(matrix: np.ndarray, skip_rows: int, choose_rates: int) -> int:
    encoder = deepCABAC.Encoder()
    encoder.initCtxModels(UNARY_LENGTH, choose_rates)
    skipped = (~matrix.any(axis=1)).astype(np.int32)
    encoder.encodeLayer(matrix, 0, 0, skip_rows, 0, skip_rows, skipped, *HDSP_OPTS_OFF(), 0, 0)
    return len(encoder.finish())


with np.load(sys.argv[1], allow_pickle=False) as file:
    matrices = [np.ascontiguousarray(file[name], np.int32) for name in file.files]
sizes = [min(payload_bytes(m, skip, rates) for skip in (0, 1) for rates in (0, 1)) for m in matrices]
print(json.dumps(sizes))
