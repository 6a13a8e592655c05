# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The lab: see it, change it, understand it
#
# A network that reads handwritten digits weighs a megabyte. In six steps you see what makes it that heavy,
# and what each technique takes away. Every picture comes from **your own functions** in `compression.py`:
# write one, save the file, and run the cell again. A function that is not there yet leaves a note, and the
# rest of the lab goes on without it.
#
# The numbers are yours to change. Try another sparsity, another temperature, fewer bits; guess first what
# will happen.

# %%
import sys
from pathlib import Path

sys.path.insert(0, str(next(p for p in (Path.cwd(), *Path.cwd().parents) if (p / "assignment").is_dir())))

import numpy as np

from assignment import experiments, pictures, plots
from assignment.artifact import ledger, pack
from assignment.explore import checks, explore, prepare
from assignment.report import PUBLISHED, Findings
from assignment.workbench import workbench

prepare()
bench = workbench()
student, base = bench.student, bench.base  # your functions, and the class's shared model
validation = bench.mnist.validation
grader = checks()  # the public tests, part by part; otter-grader runs them where it is installed
print(
    f"{base!r}\n{bench.accuracy(base):.2f} % of {len(validation):,} validation images, data: {bench.mnist.name}"
)

# %% [markdown]
# ## 1 What makes a model large?
#
# A dense layer has a weight for each pair of an input and a unit, and uses each of them once for an image. A
# convolution's few weights slide over the whole image: little to store, much to compute. So size and speed
# are two different things, and this lab measures both.

# %%
models = {"MLP": base, "CNN": experiments.small_cnn()}
for name, model in models.items():
    print(f"{name}: {student.count_parameters(model):,} parameters, {student.storage_bytes(model):,} bytes")
plots.parameters_by_layer({name: experiments.layer_uses(model) for name, model in models.items()})

# %% [markdown]
# Every weight need not take 32 bits. What would the two models take at 16, 8 and 4 bits?

# %%
plots.memory_at_bits(experiments.claimed_sizes(bench, models))

# %% [markdown]
# And what are the weights like? Look where most of them are: that is what the next two steps live on.

# %%
pictures.weight_distributions(base)

# %% [markdown]
# **Think.** Four bits for each weight make the MLP about eight times smaller. Why not exactly eight times?
# Work it out for one layer, then look at the numbers below.

# %%
at_32, at_4 = (student.storage_bytes(base, bits) for bits in (32, 4))
print(f"{at_32:,} / {at_4:,} = {at_32 / at_4:.3f}")

# %% [markdown]
# <details><summary>Check yourself</summary>
#
# Biases keep their 32 bits: 410 of them take 1,640 bytes in both. The weights alone are exactly eight times
# smaller. In a convolution with few weights for each bias, it shows more.
#
# </details>
#
# **Out there.** A microcontroller such as the STM32F746 has 320 kB of working memory and 1 MB of flash for
# everything (Lin et al., *MCUNet*, 2020). The shared model at 32 bits alone does not fit its flash. And memory is
# what costs energy: in a 45 nm process, a 32-bit multiplication takes 3.7 pJ and a 32-bit read from DRAM 640 pJ
# (Han et al., *Learning both Weights and Connections*, 2015, table 1). A model that fits into a chip's own
# memory saves nearly all of that.

# %%
grader.check("part1")

# %% [markdown]
# ## 2 Magnitude pruning
#
# Most weights are near zero, and a weight near zero hardly changes the sum that it is part of. So set the smallest
# to exactly zero. What is left looks like this:

# %%
pruned = student.prune(base, 0.9)
pictures.before_and_after(base, pruned, "pruned at 90 %")

# %% [markdown]
# The first layer's weights can be looked at: each unit reads an image, so its 784 weights are one.

# %%
pictures.first_layer(base, student.prune(base, 0.9))


# %%
def first_layer_at(sparsity):
    return pictures.first_layer(base, student.prune(base, sparsity))


explore(first_layer_at, "sparsity", values=[0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99], still=[0.5, 0.98])

# %% [markdown]
# Where in the image have weights survived? Beside it is the mean of all digits.

# %%
pictures.weights_by_pixel(student.prune(base, 0.9), bench.mnist.train.images.mean(axis=0))

# %% [markdown]
# How much can go? One ranking over all layers is better than the same share of each layer, and training what is
# left is better than both. (About 15 seconds.)

# %%
plots.accuracy_by_share(experiments.accuracy_by_sparsity(bench), "weights", base=bench.accuracy(base))

# %% [markdown]
# **Think.** Why does the global ranking win? Guess which layer it prunes hardest, then look.

# %%
for mask, layer in zip(student.global_magnitude_masks(base, 0.9), base.layers[::2], strict=True):
    print(f"{layer!r}: {100 * np.mean(mask):.1f} % of {mask.size:,} weights stay")

# %% [markdown]
# <details><summary>Check yourself</summary>
#
# The last layer keeps about a third of its thousand weights: they are large, each decides between classes, and
# dropping nine in ten of them would save next to nothing. The first layer keeps one in eleven: it has 88 % of all
# weights, and many of them read the
# border of the image, where nothing is ever drawn. A ranking in each layer takes the same share from both.
#
# </details>
#
# **Out there.** Pruning and retraining took nine in ten weights out of AlexNet and lost no accuracy (Han et al.,
# 2015). But a zero saves something only where the format or the hardware knows of it: here the packed file does.
# NVIDIA's A100 multiplies with half of the weights at up to twice the speed, but only where two in each four are
# zero (Mishra et al., *Accelerating Sparse Deep Neural Networks*, 2021).

# %%
grader.check("part2")

# %% [markdown]
# ## 3 Quantization
#
# With `bits` bits for each weight there are `2**bits` values that it can have. Which values? Evenly spaced ones
# need no table, but a few large weights stretch the grid. A codebook of means (k-means) puts them where the
# weights are.

# %%
weights = base.layers[0].weight
pictures.levels_on_histogram(weights, experiments.levels_of(bench, weights, bits=3))


# %%
def levels_at(bits):
    return pictures.levels_on_histogram(weights, experiments.levels_of(bench, weights, bits))


explore(levels_at, "bits", values=[2, 3, 4, 5, 6], still=[2, 4])

# %% [markdown]
# What does the network make of it? (This cell also packs every model into a real file: about 30 seconds.)

# %%
found = Findings(bench)  # measures anew, whenever this cell runs
plots.accuracy_by_bits(found.quantized, base=bench.accuracy(base))

# %% [markdown]
# And what is really saved? The dashed line is what one can claim, the others are bytes in a file.

# %%
plots.claimed_and_packed(found.quantized)

# %% [markdown]
# **Think.** At 4 bits the file with even levels is smaller than the one with a codebook, though both have at most
# 16 values for each weight. Why? Count how often each value is used.

# %%
for scheme in ("affine", "kmeans"):
    values, counts = np.unique(student.quantize_model(base, 4, scheme).layers[0].weight, return_counts=True)
    shares = counts / counts.sum()
    entropy = -np.sum(shares * np.log2(shares))
    print(
        f"{scheme}: {len(values)} values, the commonest {100 * shares.max():.0f} %, entropy {entropy:.2f} bits"
    )

# %% [markdown]
# <details><summary>Check yourself</summary>
#
# Even levels leave half of the weights at one or two values, and what is common takes few bits: a file needs the
# *entropy* of the values, not their number. The codebook spreads the weights over its values and so uses its 4
# bits well. That is good for accuracy (look at 2 bits) and bad for the file. The competition is about the
# balance of the two.
#
# </details>
#
# **Out there.** On ARM's Cortex-M processors, kernels with 8-bit integers ran 4.6 times as fast as the ones before,
# at 4.9 times the energy efficiency (Lai et al., *CMSIS-NN*, 2018). A language model of 7 billion weights is read once
# for each token that it writes: 14 GB at 16 bits, 3.5 GB at 4. Over a phone's memory bus of 51.2 GB/s (64 bits of
# LPDDR5 at 6,400 Mbit/s a pin) that alone allows 3.7 tokens a second, or 14.6.

# %%
grader.check("part3")

# %% [markdown]
# ## 4 Distillation
#
# A label says "4". The shared model's answer says "4, though somewhat like a 9", and that is worth learning
# from. At a temperature above 1 the small probabilities become visible.

# %%
logits = base.forward(validation.images)
chosen = experiments.telling_digits(logits)
by_temperature = {
    temperature: student.softmax(logits[chosen], temperature) for temperature in (1.0, 3.0, 10.0)
}
pictures.soft_targets(validation.images[chosen], by_temperature)


# %%
def targets_at(temperature):
    softened = {temperature: student.softmax(logits[chosen], temperature)}
    return pictures.soft_targets(validation.images[chosen], softened)


explore(targets_at, "temperature", values=[0.5, 1, 2, 3, 5, 10, 20, 50], still=[20])

# %% [markdown]
# Does it help? A network of 20 units sees 1,000 images, alone and taught, from three starts each.

# %%
plots.learning_curves(experiments.taught_and_alone(bench), 1000)

# %% [markdown]
# **Think.** The pupil learns from the same 1,000 images in both cases. Where does the teacher's help come from? And
# what do you expect with 10,000 images? Guess, then run the next cell.

# %%
plots.learning_curves(experiments.taught_and_alone(bench, images=10_000, epochs=5), 10_000)

# %% [markdown]
# <details><summary>Check yourself</summary>
#
# The teacher has seen 55,000 images, and its answers carry what it learned from them: ten numbers for each image
# instead of one. With more images the labels say more by themselves, and the lead shrinks. In the competition
# the teacher's answers cost no bytes at all: only the pupil is packed.
#
# </details>
#
# **Out there.** DistilBERT is 40 % smaller than the BERT that taught it, keeps 97 % of its language understanding
# and is 60 % faster (Sanh et al., 2019). The idea and the temperature are from Hinton, Vinyals and Dean,
# *Distilling the Knowledge in a Neural Network* (2015).

# %%
grader.check("part4")

# %% [markdown]
# ## 5 Structured pruning
#
# Zeros are still multiplied. To save time, whole units must go: their column of weights, their bias, and what
# read them in the next layer. Which units? Those that hardly ever say anything.

# %%
plots.importance_bars(experiments.importance_of_first(bench), keep_ratio=0.2)

# %%
pictures.busiest_and_idlest(base, experiments.importance_of_first(bench))

# %% [markdown]
# One unit in five stays, in both hidden layers. See what that does to the three matrices:

# %%
pictures.cascade(base, experiments.narrowed(bench, 0.2))

# %%
plots.accuracy_by_share(
    experiments.accuracy_by_keep_ratio(bench), "units of each hidden layer", base=bench.accuracy(base)
)

# %% [markdown]
# Now the clock: the shared model, the same with weights masked to zero, and a narrow one with as many weights
# as the masked one has left.

# %%
three = experiments.dense_masked_removed(bench)
seconds = experiments.inference_seconds(three, bench.mnist.train.images)
left = {
    name: sum(int(np.count_nonzero(a)) for a in m.parameters() if a.ndim > 1) for name, m in three.items()
}
plots.inference_times(seconds, left, experiments.TIMED_IMAGES)

# %% [markdown]
# **Think.** The middle matrix keeps 4 % of its weights and the outer ones 20 %. Why? And what happens to the logits
# if you remove only units that are never active?

# %%
dead = base.copy()
dead.layers[0].bias[:100] = -1000.0  # these hundred units can never be active
alive = (np.arange(300) >= 100).astype(np.float32)
narrow = student.prune_neurons(dead, 0, alive, keep_ratio=2 / 3)
difference = np.abs(narrow.forward(validation.images) - dead.forward(validation.images)).max()
print(f"{student.count_parameters(dead):,} parameters become {student.count_parameters(narrow):,}")
print(f"largest difference in the logits: {difference:.6f}")

# %% [markdown]
# <details><summary>Check yourself</summary>
#
# The middle matrix loses rows and columns: a fifth of a fifth is 4 %. Units that are never active add nothing to
# any sum, so the logits stay as they were (up to rounding). A masked model is not faster, because a matrix
# product multiplies whatever it finds, zeros included.
#
# </details>
#
# **Out there.** Removing whole filters cut the computation of VGG-16 by up to 34 % and of ResNet-110 by up to 38 % on
# CIFAR-10, with close to the original accuracy and no special library (Li et al., *Pruning Filters for
# Efficient ConvNets*, 2017).

# %%
grader.check("part5")

# %% [markdown]
# ## 6 Everything together
#
# All techniques on one base model, each packed into a real file and measured from it, and your `compress()`
# among them. (A minute, most of it your own recipe.)

# %%
found = Findings(bench)  # measures anew, whenever this cell runs
entries = found.entries
for name, note in found.missing.items():
    print(f"{name}: {note}")
plots.tradeoff(entries, PUBLISHED)

# %% [markdown]
# Along a grey line everything has the same score. Which of the points could be moved across a line most easily,
# by fewer bytes or by more accuracy? And what does each cost in time?

# %%
plots.accuracy_and_time(found.entries, experiments.TIMED_IMAGES)

# %% [markdown]
# Where did your bytes go?

# %%
plots.where_bytes_went(ledger(found.yours.artifact))

# %% [markdown]
# **Think.** Pruning after quantization, or quantization after pruning: does the order matter? Measure both.

# %%
one = student.quantize_model(student.prune(base, 0.9), 4, scheme="kmeans")
other = student.prune(student.quantize_model(base, 4, scheme="kmeans"), 0.9)
for name, model in (("prune, then quantize", one), ("quantize, then prune", other)):
    print(f"{name}: {len(pack(model)):,} bytes, {bench.accuracy(model):.2f} %")

# %% [markdown]
# <details><summary>Check yourself</summary>
#
# It does. A codebook that is made after pruning spends its values on the weights that are left; one that is made
# before has spent most of them on weights that are then removed. *Deep Compression* (Han, Mao and Dally,
# 2016) prunes, then quantizes, then codes, and brings this network from 1,070 KB to 27 KB. What beats it is to
# do all three while training: then the network can answer to what it loses.
#
# </details>
#
# **Now the competition.** `python -m assignment score --watch` runs your `compress()` each time you save. The handout
# (`assignment/README.md`) says how the score is made, and `python -m assignment report` puts these pictures on one
# page.

# %%
grader.check("part6")
