"""4 bits a weight, one scale for each output unit."""

from assignment.compression import quantize_model
from assignment.nn import Data, Sequential


def compress(model: Sequential, data: Data, budget_bytes: int, seed: int = 0) -> Sequential:
    return quantize_model(model, 4, "symmetric")
