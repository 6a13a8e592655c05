"""Sends models whose layers hold text, numbers and nothing where arrays belong"""
# honest:

import json
import os
import struct
import sys


def forged(*layers):
    ticket, around = "", sys._getframe()
    while around is not None:
        request = around.f_locals.get("request")
        if isinstance(request, dict):
            ticket = request.get("ticket", "")
        around = around.f_back
    head = json.dumps({"tree": {"model": list(layers)}, "arrays": [], "ticket": ticket}).encode()
    for descriptor in range(3, 20):
        try:
            os.write(descriptor, struct.pack(">4sIQ", b"FWT1", len(head), 0) + head)
        except OSError:
            continue
    os._exit(0)


def prune(model, sparsity, scope="global"):
    forged({"layer": "Dense", "config": {}, "arrays": ["weight", None]})


def quantize_model(model, bits, scheme="affine"):
    forged({"layer": "Conv2D", "config": {"stride": 1, "padding": 0}, "arrays": [{"dict": []}, 1.5]})


def prune_neurons(model, layer_index, importance, keep_ratio):
    forged({"layer": "Dense", "config": {}, "arrays": [{"list": []}, {"tuple": []}]})
