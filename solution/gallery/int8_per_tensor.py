"""8 bits a weight, one scale and zero point for each layer."""

from assignment.compression import quantize_model
from assignment.nn import Data, Sequential


def compress(model: Sequential, data: Data, budget_bytes: int, seed: int = 0) -> Sequential:
    return quantize_model(model, 8, "affine")
