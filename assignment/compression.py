"""Your assignment: make a neural network light. This is the only file you edit.

Six parts, each building on the one before: measure a model, prune it, quantize it, teach a small one
with it, cut whole neurons out of it, and then put everything together for the competition. Work from
the top. Each function's docstring is its contract, and the numbered steps inside are hints: follow
them or find your own way.

    python -m pytest tests_public                   every public test
    python -m pytest tests_public --function prune  the tests of one function

What holds for every function:

- It changes none of its arguments and remembers nothing between calls.
- A model it returns is new and shares no array with a model it was given (`model.copy()` helps).
- With a `seed`, the same seed and arguments give identical arrays.
- A bad argument raises `ValueError` with a message that names the argument, says what is needed and what
  was given: "sparsity must be in [0, 1], got 1.5". These are bad: a share outside [0, 1] or NaN; bits
  outside the stated range; an unknown scope or scheme; a layer index that is out of range or names a layer
  without weights; and, in parts 2 and 3, NaN among the weights of an array or of a model.

Models are `assignment.nn.Sequential`; read `assignment/nn/layers.py` to see what a layer holds. Dense
weights have shape (in, out), Conv2D weights (out, in, kh, kw). A layer with weights is one of these two;
its units are its output neurons or its output channels. Weights, biases, images and logits are float32.
"""

from __future__ import annotations

import numpy as np

from assignment.nn import Data, Dataset, Sequential

Array = np.ndarray

# ------------------------------------------------------------------------------------------------
# Part 1: size. What makes a model large?
# ------------------------------------------------------------------------------------------------


def count_parameters(model: Sequential) -> int:
    """How many numbers the model has learned: every weight and every bias, of Dense and Conv2D.

    >>> count_parameters(Sequential([Dense(784, 300), ReLU(), Dense(300, 10)]))
    238510
    """
    # 1. Which layers of model.layers hold arrays? layer.parameters() is empty for the others.
    # 2. Add up the sizes of those arrays.
    raise NotImplementedError


def sparsity(model: Sequential) -> float:
    """The share of weights that are exactly zero, in [0, 1]. Biases are not counted.

    One share over the model as a whole: a large layer counts for more than a small one.
    A model without weights has sparsity 0.
    """
    # 1. Count the zeros of every layer's weight, and the entries.
    # 2. Divide once, at the end.
    raise NotImplementedError


def storage_bytes(model: Sequential, bits: int = 32) -> int:
    """What the model would take if each weight cost `bits` bits and each bias 32.

    bits: 1 or more, not to be checked. Returns an int. Each weight array is rounded up to whole bytes by
    itself. This is the size one can claim; the packed file (`assignment.artifact.pack`) is the size one
    has, and what the competition counts.
    """
    # 1. Bits of one weight array, and from them its bytes, rounded up: integers only, no floats.
    # 2. Four bytes for each bias entry.
    raise NotImplementedError


# ------------------------------------------------------------------------------------------------
# Part 2: magnitude pruning. Small weights matter least, so set them to zero.
# ------------------------------------------------------------------------------------------------


def magnitude_mask(weights: Array, sparsity: float) -> Array:
    """Which weights to keep: False on the smallest in magnitude, True on the others.

    weights: float32 of any shape, empty included. sparsity: a share in [0, 1].
    Returns a bool array of the same shape. Exactly `round(sparsity * weights.size)` entries are False
    (Python's `round`), and no kept weight is smaller in magnitude than a pruned one. Where magnitudes
    tie, any of them may go; the count is exact all the same.
    Raises ValueError: sparsity outside [0, 1] or NaN; NaN in weights.
    """
    # 1. Check the arguments.
    # 2. How many entries go?
    # 3. Which ones? Put the magnitudes in order (np.argsort) rather than comparing them with a
    #    threshold: what would a threshold do to an array of equal weights?
    # 4. Give the mask the shape of the weights.
    raise NotImplementedError


def global_magnitude_masks(model: Sequential, sparsity: float) -> list[Array]:
    """One mask for each layer that has weights, in order, from one ranking over all weights together.

    The count is exact over the model, `round(sparsity * all weights)`; a layer of small weights loses
    more of them than a layer of large ones. Biases are neither counted nor masked.
    Raises ValueError as `magnitude_mask` does.
    """
    # 1. Put all weights into one long array.
    # 2. One mask over it.
    # 3. Cut it back into pieces with the layers' shapes.
    raise NotImplementedError


def prune(model: Sequential, sparsity: float, scope: str = "global") -> Sequential:
    """A copy of the model with its smallest weights set to zero, biases untouched.

    scope: "global" ranks all weights together; "layer" prunes every layer by the same share.
    Raises ValueError: sparsity outside [0, 1] or NaN; another scope; NaN in weights.
    """
    # 1. Masks, for the one scope or the other.
    # 2. Zeros in a copy.
    raise NotImplementedError


def finetune(
    model: Sequential,
    masks: list[Array],
    dataset: Dataset,
    *,
    epochs: int,
    learning_rate: float,
    batch_size: int = 128,
    seed: int = 0,
) -> Sequential:
    """Train what is left after pruning, so that it makes up for what has gone.

    masks: one bool array for each layer with weights, True where a weight may live. The masks decide:
    `model` need not have been pruned, and a weight that is 0 and not masked trains like any other.
    Training starts from the model's own kept weights and biases and takes SGD steps (or momentum's, or
    Adam's) of `learning_rate` on the mean cross-entropy of each batch; the last, smaller batch counts.
    Pruned weights are exactly zero at the end, and take no part on the way: neither the values they had
    nor inputs that only they read change the result. Biases train too.
    Returns a new model. Raises ValueError: NaN in weights.
    """
    # 1. A copy, its pruned weights at zero before the first step.
    # 2. Train it with assignment.nn.fit. The gradient does not know what is pruned: which argument of
    #    fit lets you put the zeros back after every step?
    raise NotImplementedError


# ------------------------------------------------------------------------------------------------
# Part 3: quantization. Fewer bits for each weight.
# ------------------------------------------------------------------------------------------------


def quantize_affine(weights: Array, bits: int) -> tuple[Array, float, int]:
    """Weights as small unsigned integers: weight is about (code - zero_point) * scale.

    weights: float32 of any shape, not empty. bits: 1 to 16.
    Returns (codes, scale, zero_point). codes: the shape of weights, in [0, 2**bits - 1], uint8 up to
    8 bits and uint16 above. scale: a finite float above 0. zero_point: an int (not a float), the code that
    stands for 0.0.
    The range always includes 0, and 0.0 comes back as exactly 0.0, so that pruned weights stay pruned.
    Every weight comes back within scale / 2, up to rounding. No codes are wasted: with the range
    max(w, 0) - min(w, 0), scale is at most range / (2**bits - 2); at 1 bit, or where all weights are equal,
    at most the range itself; where all are zero, any positive number.
    Constant, all-zero and one-sided arrays work.
    Raises ValueError: bits outside 1 to 16; NaN in weights. Source: Jacob et al. 2018, section 2.1.
    """
    # 1. The range, from the smallest to the largest weight, stretched to include 0.
    # 2. How many steps do 2**bits codes make? That gives the scale. What if the range is empty?
    # 3. zero_point: the code on which 0.0 falls, rounded to an integer.
    # 4. Codes: round, move by zero_point, clip, and only then make them unsigned.
    raise NotImplementedError


def dequantize_affine(codes: Array, scale: float, zero_point: int) -> Array:
    """The weights that codes stand for: (codes - zero_point) * scale, as float32.

    codes: any unsigned integers, not only those of `quantize_affine`.
    """
    # 1. What is np.uint8(3) - np.uint8(5)? Leave the unsigned type before you subtract.
    raise NotImplementedError


def quantize_symmetric(weights: Array, bits: int, axis: int | None = None) -> tuple[Array, Array | float]:
    """Weights as small signed integers around zero: weight is about code * scale.

    weights: float32 of any shape, not empty. bits: 2 to 16. axis: None for one scale over all weights; a
    number for one scale at each index of that axis (axis 1 of a matrix: one for each column).
    Returns (codes, scales). scales: a float without an axis; with one, an array that broadcasts against
    weights, every other axis of length 1 (for the columns: (1, columns)). codes: the shape of weights, in
    [-(2**(bits-1) - 1), 2**(bits-1) - 1], int8 up to 8 bits and int16 above.
    A scale is above 0 and, up to rounding, no larger than max|w| / (2**(bits-1) - 1) over its weights (any
    positive number where these are all zero). Every weight comes back within its scale / 2, up to rounding.
    Raises ValueError: bits outside 2 to 16; NaN in weights. Source: Krishnamoorthi 2018, section 2.
    """
    # 1. The largest magnitude, of all weights or of each slice (keepdims=True helps).
    # 2. The scale puts it on the largest code. What about a slice of zeros?
    # 3. Round, clip, choose the type.
    raise NotImplementedError


def kmeans_codebook(weights: Array, bits: int, iterations: int = 20) -> tuple[Array, Array]:
    """A few shared values, put where the weights are, and for each weight the index of its value.

    weights: float32 of any shape, not empty. bits: 1 to 8. iterations: 1 or more rounds of step 2.
    Returns (indices, codebook): `codebook[indices]` are the weights that come back. indices: integers, the
    shape of weights. codebook: one row of 1 to 2**bits finite float32 centroids, ascending (repeats are
    allowed).
    A weight of exactly 0 comes back as exactly 0. At the default iterations the summed squared error
    is no worse than that of your own quantize_affine at the same bits.
    Raises ValueError: bits outside 1 to 8; NaN in weights. Source: Han, Mao and Dally 2016, section 3.
    """
    # 1. Starting centroids. Which start makes "no worse than quantize_affine" hold by itself?
    # 2. Repeat: each weight to its nearest centroid (np.searchsorted on the midpoints is fast), each
    #    centroid to the mean of its weights. What about a centroid with no weights?
    # 3. If there are zeros among the weights, one centroid is 0 and stays there.
    raise NotImplementedError


def quantize_model(model: Sequential, bits: int, scheme: str = "affine") -> Sequential:
    """A copy whose weights lie on the levels of a quantizer, each layer quantized by itself.

    scheme: "affine" (bits 1 to 16), "symmetric" (one scale for each output unit: a Dense column, a
    Conv2D kernel; bits 2 to 16) or "kmeans" (bits 1 to 8). Weights are float32 again afterwards: `pack`
    finds the few levels and stores only their codes. Biases are unchanged.
    Raises ValueError: another scheme; bits outside the scheme's range; NaN in weights.
    """
    # 1. For each layer with weights: quantize, and put back what the codes stand for.
    # 2. Along which axis do a Dense layer's output units lie, and a Conv2D layer's?
    raise NotImplementedError


# ------------------------------------------------------------------------------------------------
# Part 4: distillation. A large model teaches a small one.
# ------------------------------------------------------------------------------------------------


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    """Probabilities (N, classes) from logits (N, classes), softer at a higher temperature.

    softmax(logits / temperature) along each row. Rows sum to 1. temperature: above 0. Finite for logits of
    +-1e4. float32 and float64 will both do.
    """
    # 1. Divide by the temperature.
    # 2. np.exp(1e4) overflows. Which number can you take from every logit of a row without changing
    #    the probabilities?
    raise NotImplementedError


def distillation_loss(
    student_logits: Array, teacher_logits: Array, labels: Array, temperature: float = 3.0, alpha: float = 0.5
) -> tuple[float, Array]:
    """How far the student is from the labels and from its teacher, and which way to go.

    student_logits, teacher_logits: (N, classes) float32. labels: (N,) integers.
    Returns (loss, grad): with T the temperature and p_T a softmax at that temperature,

        loss = mean over the batch of  alpha * CE(student, label)
                                       + (1 - alpha) * T**2 * KL(teacher_T || student_T)

    and grad (N, classes), the exact derivative of loss by student_logits. The hard term, CE, is the
    cross-entropy with the label, at temperature 1. The soft term's KL(q || p) is the sum of
    q * (log q - log p) over the classes. Finite for logits of +-1e4; a class to which the teacher gives
    probability 0 adds 0.
    Source: Hinton, Vinyals and Dean 2015, section 2 (why T**2: section 2.1).
    """
    # 1. Logarithms of softmax, computed as such: log(softmax(x)) is -inf where a probability is 0.
    # 2. The hard term and the soft term, one number for each image.
    # 3. Their mean. Give a batch twice: does the loss stay the same?
    # 4. The derivative of CE is softmax - one_hot. Of KL by the student's logits at temperature T: the
    #    same form with the teacher's probabilities, and a factor 1 / T. Mind the mean.
    raise NotImplementedError


def distill(
    student: Sequential,
    teacher: Sequential,
    dataset: Dataset,
    *,
    epochs: int,
    temperature: float = 3.0,
    alpha: float = 0.5,
    learning_rate: float,
    batch_size: int = 128,
    seed: int = 0,
) -> Sequential:
    """Train a copy of the student on `distillation_loss` against the teacher's logits on the same images.

    Starts from the student's own weights and takes SGD steps (or momentum's, or Adam's) of
    `learning_rate`; the last, smaller batch counts. Enough of them bring the loss down: on images that can
    be learned, 1,000 in small batches at a rate of 0.02, or 500 in full ones at 0.06, by a tenth or more.
    At alpha 1 the teacher has no influence, at alpha 0 the labels have none. Returns the trained copy.
    """
    # 1. fit takes a loss: a function of the logits and the batch (with .images and .labels).
    # 2. What does the teacher say about those images?
    raise NotImplementedError


# ------------------------------------------------------------------------------------------------
# Part 5: structured pruning. Whole neurons go, and the arrays really get smaller.
# ------------------------------------------------------------------------------------------------


def neuron_importance(model: Sequential, layer_index: int, images: Array) -> Array:
    """How strongly each unit of a layer answers: (units,) floats.

    layer_index: the index in model.layers of a layer with weights; negative ones count from the end.
    images: (N, features) float32, what the model takes; the shared model's have 784 features.
    The mean absolute value of the unit's output after the ReLU that is the very next layer (its raw
    output where the next layer is no ReLU; with a pool between the two, either is right), over all images
    and, for the channels of a Conv2D, all positions. It does not depend on how images are batched.
    Raises ValueError: layer_index out of range, or a layer without weights.
    """
    # 1. Run the images through the layers up to this one, and through the ReLU if it comes next.
    # 2. Average over every axis but the units' own.
    raise NotImplementedError


def prune_neurons(model: Sequential, layer_index: int, importance: Array, keep_ratio: float) -> Sequential:
    """A copy with the least important units of one layer removed.

    layer_index: as for `neuron_importance`. importance: (units,) floats. keep_ratio: a share in [0, 1].
    The `max(1, round(keep_ratio * units))` most important units stay, in their original order: their
    weights and biases here, and the inputs that read them in the next layer with weights (Dense to
    Dense, Conv2D to Conv2D, Conv2D through Flatten to Dense). Where importances tie, any of them may go; the
    count is exact all the same. Removing units whose output is always 0 leaves the logits as they were.
    Raises ValueError: keep_ratio outside [0, 1] or NaN; layer_index out of range, or a layer without
    weights, or the classifier, whose units are the classes.
    """
    # 1. Which units stay? Sort their indices.
    # 2. Take them from weight and bias. On which axis are the units of a Dense layer, of a Conv2D?
    # 3. Find the next layer with weights and take the matching inputs. Flatten lays out a channel's
    #    positions side by side: how many inputs of the Dense layer belong to one channel?
    raise NotImplementedError


# ------------------------------------------------------------------------------------------------
# Part 6: everything together. The competition.
# ------------------------------------------------------------------------------------------------


def compress(model: Sequential, data: Data, budget_bytes: int, seed: int = 0) -> Sequential:
    """The most accurate model that fits the budget: your entry in the competition.

    model: a trained LeNet-300-100: the class's shared one in the competition, one trained on other pictures
    in the tests. data: training and validation images, never the test images. budget_bytes: at least 8192,
    16384 in the competition; look at the one you are given.
    Returns a model of the given layers whose packed size, `len(assignment.artifact.pack(model))`, is within
    the budget, and which still knows the classes: from 30,000 bytes on, the tests want half of new pictures
    right, below that more than one answer to all.
    Any recipe: it runs on one thread within 120 s of CPU time and 2 GiB of memory. The score rewards
    halving the bytes as long as the accuracy holds; `python -m assignment score` shows yours.
    """
    # 1. Start simple: prune, finetune, quantize, pack. What does it weigh?
    # 2. Measure on data.validation, change one thing, measure again.
    # 3. A narrower network taught by the shared one starts lighter than any pruned one.
    # 4. Training with the quantized weights in the forward pass lets the network get used to them.
    raise NotImplementedError
