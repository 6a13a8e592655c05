"""The smallest 90 % of the weights pruned, the rest trained on, in float32."""

from assignment.compression import finetune, global_magnitude_masks
from assignment.nn import Data, Sequential


def compress(model: Sequential, data: Data, budget_bytes: int, seed: int = 0) -> Sequential:
    masks = global_magnitude_masks(model, 0.9)
    return finetune(model, masks, data.train, epochs=5, learning_rate=0.02, seed=seed)
