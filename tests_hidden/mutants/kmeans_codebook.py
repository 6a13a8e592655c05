"""Wrong codebooks."""

import numpy as np

from tests_hidden.mutants import right, wrong


def check(weights, bits):
    """The reference's own refusals, without its codebook."""
    right.kmeans_codebook(weights, bits, 1)


def nearest(flat, centroids):
    return np.abs(flat[:, None] - centroids[None, :]).argmin(axis=1)


def lloyd(weights, centroids, iterations, empty="stay"):
    """Plain k-means from `centroids`, with nothing held at 0."""
    flat, centroids = weights.ravel().astype(np.float64), np.array(centroids, np.float64)
    for _ in range(iterations):
        assigned = nearest(flat, centroids)
        for k in range(len(centroids)):
            members = flat[assigned == k]
            if len(members):
                centroids[k] = members.mean()
            elif empty == "nan":
                centroids[k] = np.nan
    return centroids


def finished(weights, centroids):
    codebook = np.sort(centroids).astype(np.float32)
    return nearest(weights.ravel(), codebook).reshape(weights.shape), codebook


def linear(weights, bits):
    return np.linspace(weights.min(), weights.max(), 2**bits)


@wrong("lets the centroid at 0 move", killed_by="test_codebook_brings_zero_back_as_zero")
def forgets_zero(weights, bits, iterations=20):
    check(weights, bits)
    return finished(weights, lloyd(weights, linear(weights, bits), iterations))


@wrong(
    "adds 0 as an extra centroid", killed_by="test_codebook_is_ascending_and_holds_two_to_the_bits_at_most"
)
def one_too_many(weights, bits, iterations=20):
    check(weights, bits)
    return finished(weights, np.append(lloyd(weights, linear(weights, bits), iterations), 0.0))


@wrong(
    "leaves the codebook unsorted",
    killed_by="test_codebook_is_ascending_and_holds_two_to_the_bits_at_most",
)
def unsorted(weights, bits, iterations=20):
    indices, codebook = right.kmeans_codebook(weights, bits, iterations)
    order = np.random.default_rng(0).permutation(len(codebook))
    return np.argsort(order)[indices], codebook[order]


@wrong(
    "sorts the codebook, but does not update the indices",
    killed_by="test_codebook_does_no_worse_than_affine_levels",
)
def indices_of_the_unsorted(weights, bits, iterations=20):
    indices, codebook = right.kmeans_codebook(weights, bits, iterations)
    return len(codebook) - 1 - indices.astype(np.int64), codebook


@wrong(
    "sorts the codebook in descending order",
    killed_by="test_codebook_is_ascending_and_holds_two_to_the_bits_at_most",
)
def descending(weights, bits, iterations=20):
    indices, codebook = right.kmeans_codebook(weights, bits, iterations)
    return len(codebook) - 1 - indices.astype(np.int64), codebook[::-1].copy()


@wrong("an empty cluster becomes NaN", killed_by="test_codebook_of_few_distinct_weights")
def nan_clusters(weights, bits, iterations=20):
    check(weights, bits)
    if np.unique(weights).size > 2**bits:
        return right.kmeans_codebook(weights, bits, iterations)
    return finished(weights, lloyd(weights, linear(weights, bits), iterations, empty="nan"))


@wrong(
    "fails where there are fewer weights than centroids", killed_by="test_codebook_of_few_distinct_weights"
)
def needs_enough_weights(weights, bits, iterations=20):
    check(weights, bits)
    np.random.default_rng(0).choice(np.unique(weights), 2**bits, replace=False)
    return right.kmeans_codebook(weights, bits, iterations)


@wrong(
    "starts at quantiles, and never reaches large weights",
    killed_by="test_codebook_does_no_worse_where_a_few_weights_are_large",
)
def quantile_start(weights, bits, iterations=20):
    check(weights, bits)
    start = np.quantile(weights, (np.arange(2**bits) + 0.5) / 2**bits)
    centroids = lloyd(weights, start, iterations)
    if (weights == 0).any():
        centroids[np.abs(centroids).argmin()] = 0
    return finished(weights, centroids)


@wrong(
    "the quantiles themselves, without k-means",
    killed_by="test_codebook_does_no_worse_where_a_few_weights_are_large",
)
def quantiles(weights, bits, iterations=20):
    check(weights, bits)
    centroids = np.quantile(weights, (np.arange(2**bits) + 0.5) / 2**bits)
    if (weights == 0).any():
        centroids[np.abs(centroids).argmin()] = 0
    return finished(weights, centroids)


@wrong("all centroids start in one place", killed_by="test_codebook_does_no_worse_than_affine_levels")
def one_start(weights, bits, iterations=20):
    check(weights, bits)
    centroids = lloyd(weights, np.full(2**bits, weights.mean()), iterations)
    return finished(weights, np.where((weights == 0).any(), 0.0, centroids))


@wrong("random centroids, never moved", killed_by="test_codebook_does_no_worse_than_affine_levels")
def random_centroids(weights, bits, iterations=20):
    check(weights, bits)
    centroids = np.random.default_rng(0).uniform(weights.min(), weights.max(), 2**bits)
    centroids[0] = 0.0
    return finished(weights, centroids)


@wrong(
    "a codebook of 16 whatever bits says",
    killed_by="test_codebook_is_ascending_and_holds_two_to_the_bits_at_most",
)
def always_4_bits(weights, bits, iterations=20):
    check(weights, bits)
    return right.kmeans_codebook(weights, 4, iterations)


@wrong("uses bits as the number of centroids", killed_by="test_codebook_does_no_worse_than_affine_levels")
def bits_centroids(weights, bits, iterations=20):
    check(weights, bits)
    zero = [0.0] if (weights == 0).any() else []
    return finished(
        weights, [*lloyd(weights, linear(weights, bits)[: bits - len(zero) or 1], iterations), *zero]
    )


@wrong("a float64 codebook", killed_by="test_codebook_takes_its_number_of_iterations")
def float64_codebook(weights, bits, iterations=20):
    indices, codebook = right.kmeans_codebook(weights, bits, iterations)
    return indices, codebook.astype(np.float64)


@wrong("indices that are floats", killed_by="test_codebook_takes_its_number_of_iterations")
def float_indices(weights, bits, iterations=20):
    indices, codebook = right.kmeans_codebook(weights, bits, iterations)
    return indices.astype(np.float32), codebook


@wrong("flat indices", killed_by="test_codebook_is_ascending_and_holds_two_to_the_bits_at_most")
def flat_indices(weights, bits, iterations=20):
    indices, codebook = right.kmeans_codebook(weights, bits, iterations)
    return indices.ravel(), codebook


@wrong("returns the decoded weights first", killed_by="test_codebook_takes_its_number_of_iterations")
def decoded(weights, bits, iterations=20):
    indices, codebook = right.kmeans_codebook(weights, bits, iterations)
    return codebook[indices], codebook


@wrong("codebook first, indices second", killed_by="test_codebook_takes_its_number_of_iterations")
def swapped(weights, bits, iterations=20):
    indices, codebook = right.kmeans_codebook(weights, bits, iterations)
    return codebook, indices


@wrong("centroids in half precision", killed_by="test_codebook_of_few_distinct_weights")
def half_precision(weights, bits, iterations=20):
    indices, codebook = right.kmeans_codebook(weights, bits, iterations)
    return indices, codebook.astype(np.float16).astype(np.float32)


@wrong("has no parameter iterations", killed_by="test_codebook_takes_its_number_of_iterations")
def no_iterations(weights, bits):
    return right.kmeans_codebook(weights, bits)


@wrong(
    "sets a centroid to 0 only if it is already near 0", killed_by="test_codebook_brings_zero_back_as_zero"
)
def zero_is_the_nearest(weights, bits, iterations=20):
    check(weights, bits)
    centroids = lloyd(weights, linear(weights, bits), iterations)
    centroids[np.abs(centroids) < 1e-3] = 0.0
    return finished(weights, centroids)


@wrong("keeps a centroid at 0 only if many weights are 0", killed_by="test_codebook_brings_zero_back_as_zero")
def zero_by_majority(weights, bits, iterations=20):
    check(weights, bits)
    if (weights == 0).mean() > 0.2:
        return right.kmeans_codebook(weights, bits, iterations)
    return forgets_zero(weights, bits, iterations)


@wrong("sorts the weights it is given", killed_by="test_codebook_leaves_weights_alone_and_remembers_nothing")
def sorts_in_place(weights, bits, iterations=20):
    result = right.kmeans_codebook(weights, bits, iterations)
    weights.reshape(-1).sort()
    return result


@wrong(
    "starts from the last call's codebook",
    killed_by="test_codebook_leaves_weights_alone_and_remembers_nothing",
)
def remembered(weights, bits, iterations=20, memory={}):  # noqa: B006
    _, codebook = right.kmeans_codebook(weights, bits, iterations)
    kept = memory.setdefault((weights.shape, bits), codebook)
    return finished(weights, kept)


@wrong("accepts any bits", killed_by="test_codebook_refuses_bits_outside_1_to_8")
def any_bits(weights, bits, iterations=20):
    return right.kmeans_codebook(weights, min(max(bits, 1), 8), iterations)


@wrong("up to 16 bits, as quantize_affine", killed_by="test_codebook_refuses_bits_outside_1_to_8")
def up_to_16_bits(weights, bits, iterations=20):
    if not 1 <= bits <= 16:
        raise ValueError(f"bits must be in [1, 16], got {bits}")
    return right.kmeans_codebook(weights, min(bits, 8), iterations)


@wrong("treats NaN as 0", killed_by="test_codebook_refuses_nan_among_weights")
def nan_weights(weights, bits, iterations=20):
    return right.kmeans_codebook(np.nan_to_num(weights), bits, iterations)


@wrong(
    "fits the codebook only to every tenth weight",
    killed_by="test_codebook_does_no_worse_where_a_few_weights_are_large",
)
def a_sample(weights, bits, iterations=20):
    check(weights, bits)
    _, codebook = right.kmeans_codebook(weights.ravel()[::10], bits, iterations)
    return nearest(weights.ravel(), codebook).reshape(weights.shape), codebook


@wrong(
    "uses the centroid below each weight, not the nearest",
    killed_by="test_codebook_does_no_worse_than_affine_levels",
)
def centroid_below(weights, bits, iterations=20):
    _, codebook = right.kmeans_codebook(weights, bits, iterations)
    below = np.searchsorted(codebook, weights.ravel(), side="right") - 1
    return below.clip(0).reshape(weights.shape), codebook


@wrong(
    "indices from before the centroids moved",
    killed_by="test_codebook_does_no_worse_where_a_few_weights_are_large",
)
def indices_of_the_start(weights, bits, iterations=20):
    _, codebook = right.kmeans_codebook(weights, bits, iterations)
    _, first = right.kmeans_codebook(weights, bits, 0)
    return nearest(weights.ravel(), first).reshape(weights.shape), codebook


@wrong(
    "has one centroid more than the bits can count",
    killed_by="test_codebook_of_few_distinct_weights",
)
def one_distinct_too_many(weights, bits, iterations=20):
    check(weights, bits)
    distinct = np.unique(weights)
    if len(distinct) > 2**bits + 1:
        return right.kmeans_codebook(weights, bits, iterations)
    return np.searchsorted(distinct, weights), distinct


@wrong("half the centroids", killed_by="test_codebook_does_no_worse_where_a_few_weights_are_large")
def one_bit_fewer(weights, bits, iterations=20):
    check(weights, bits)
    return right.kmeans_codebook(weights, max(bits - 1, 1), iterations)


@wrong("fills up the codebook with infinity", killed_by="test_codebook_of_few_distinct_weights")
def padded_with_infinity(weights, bits, iterations=20):
    indices, codebook = right.kmeans_codebook(weights, bits, iterations)
    padding = np.full(2**bits - len(codebook), np.inf, np.float32)
    return indices, np.concatenate([codebook, padding])


@wrong(
    "signed bytes for indices, which overflow at 8 bits",
    killed_by="test_codebook_is_ascending_and_holds_two_to_the_bits_at_most",
)
def signed_bytes(weights, bits, iterations=20):
    indices, codebook = right.kmeans_codebook(weights, bits, iterations)
    return indices.astype(np.int8), codebook


@wrong(
    "accepts any bits where all weights are the same",
    killed_by="test_codebook_refuses_bits_outside_1_to_8",
)
def unchecked_constant(weights, bits, iterations=20):
    if len(np.unique(weights)) == 1 and not np.isnan(weights).any():
        return np.zeros(weights.shape, np.uint8), np.unique(weights)
    return right.kmeans_codebook(weights, bits, iterations)


@wrong(
    "codes of the affine grid: its centroids never move",
    killed_by="test_codebook_moves_its_centroids_to_where_the_weights_are",
)
def stays_at_the_affine_levels(weights, bits, iterations=20):
    codes, scale, zero_point = right.quantize_affine(weights, bits)
    levels = ((np.arange(2**bits) - zero_point) * scale).astype(np.float32)
    return codes, levels
