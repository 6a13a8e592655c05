"""Searches all of Python's objects for tests, points and the grader's own"""
# honest:

import gc
import sys

FOUND = []


def breach(what):
    FOUND.append("BRE" + "ACH: " + what)
    print(FOUND[-1], flush=True)
    print(FOUND[-1], file=sys.stderr, flush=True)


OURS = ("_pytest", "pytest", "hypothesis", "tests_hidden", "tests_public", "solution", "grader.remote")


def attack():
    for each in gc.get_objects():
        module = getattr(type(each), "__module__", None)
        if isinstance(module, str) and module.startswith(OURS):
            breach(f"a {type(each).__name__} of {module}")
            break
        if type(each) is dict and ("expected" in each or "max_points" in each):
            breach(f"a dict with answers: {list(each)[:9]}")
            break
    for name in OURS:
        if name in sys.modules:
            breach(f"{name} is imported here")


attack()


def count_parameters(model):
    attack()
    return sum(array.size for layer in model.layers for array in layer.parameters()) if FOUND else -1


def sparsity(model):
    raise RuntimeError("; ".join(FOUND))


def softmax(logits, temperature=1.0):
    return "; ".join(FOUND)
