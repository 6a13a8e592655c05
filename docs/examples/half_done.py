# ruff: noqa: F821 - this goes behind the reference solution, whose names it uses

# What a student leaves who has done parts 1 to 3: it takes parts 4 and 5 of the reference away again.


def _not_yet(*args, **settings):
    raise NotImplementedError


softmax = distillation_loss = distill = neuron_importance = prune_neurons = _not_yet


def compress(model, data, budget_bytes, seed=0):
    """Prune harder until the file fits, retrain what is left, and round it to four bits."""
    for share in (0.95, 0.97, 0.98):
        masks = global_magnitude_masks(model, share)
        pruned = finetune(model, masks, data.train, epochs=1, learning_rate=0.05, seed=seed)
        light = quantize_model(pruned, bits=4, scheme="kmeans")
        if len(pack(light)) <= budget_bytes:
            break
    return light
