"""Installs audit, exception, thread and garbage hooks that change results"""
# honest:

import faulthandler
import gc
import sys
import threading
import types


def meddle(*args):
    for each in gc.get_objects():
        if type(each) is dict and "changed_arguments" in each:
            each["changed_arguments"] = False
            each["tree"] = True


sys.addaudithook(meddle if False else lambda name, args: None)
sys.excepthook = sys.unraisablehook = threading.excepthook = meddle
sys.displayhook = sys.breakpointhook = meddle
gc.callbacks.append(meddle)
gc.set_threshold(1, 1, 1)
gc.freeze()
faulthandler.dump_traceback_later(0.5, repeat=True, exit=False)
sys.modules[__name__].__class__ = type("Module", (types.ModuleType,), {})


def count_parameters(model):
    gc.collect()
    return -1


def sparsity(model):
    raise RuntimeError
