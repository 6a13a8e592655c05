"""Pruned to 6 %, trained on, and 16 shared values a layer, as in Deep Compression (Han et al. 2016)."""

from assignment.compression import finetune, global_magnitude_masks, quantize_model
from assignment.nn import Data, Sequential


def compress(model: Sequential, data: Data, budget_bytes: int, seed: int = 0) -> Sequential:
    masks = global_magnitude_masks(model, 0.94)
    pruned = finetune(model, masks, data.train, epochs=10, learning_rate=0.02, seed=seed)
    return quantize_model(pruned, 4, "kmeans")
