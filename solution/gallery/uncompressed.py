"""The shared model as it is, in float32."""

from assignment.nn import Data, Sequential


def compress(model: Sequential, data: Data, budget_bytes: int, seed: int = 0) -> Sequential:
    return model.copy()
