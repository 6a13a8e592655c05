"""Submissions whose bytes cannot lie in a normal source file: other encodings, no text at all, 50 MB.

`ODDITIES["utf16"].make()` gives the bytes that are handed in. The ones that are plain source lie
beside this module, in `oddities/`.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable
from dataclasses import dataclass

BOTH = ("count_parameters", "sparsity")

RIGHT = '''"""My compression, with all that I have learned."""


def count_parameters(model):
    return sum(array.size for layer in model.layers for array in layer.parameters())


def sparsity(model):
    weights = [layer.weight for layer in model.layers if layer.parameters()]
    entries = sum(weight.size for weight in weights)
    return sum(int((weight == 0).sum()) for weight in weights) / entries if entries else 0.0
'''

LATIN = RIGHT.replace("all that I have learned", "alles \xfcber Gr\xf6\xdfen")


@dataclass(frozen=True)
class Oddity:
    """One such file.

    make: its bytes. functions: those that it implements rightly. keeps: whether it must earn exactly
    their worth; otherwise it may earn less. reason: words of which the sentence shown must hold at
    least one, whatever their case; empty where nothing goes wrong.
    """

    make: Callable[[], bytes]
    functions: tuple[str, ...] = ()
    keeps: bool = False
    reason: tuple[str, ...] = ()


def right(change: Callable[[str], bytes]) -> Oddity:
    """The right file, written down in another way that changes nothing."""
    return Oddity(lambda: change(RIGHT), BOTH, keeps=True)


def broken(content: str | bytes, *reason: str) -> Oddity:
    """A file that cannot be imported, and says why."""
    made = content.encode() if isinstance(content, str) else content
    return Oddity(lambda: made, reason=reason)


def notebook() -> bytes:
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "source": RIGHT.splitlines(keepends=True)}
    cell["execution_count"] = None
    return json.dumps(
        {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1
    ).encode()


def long_file(functions: int) -> bytes:
    """`functions` helpers of five lines each before the right ones."""
    helper = "def helper_{0}(x):\n    y = x + {0}\n    return y\n\n\n"
    return ("".join(helper.format(number) for number in range(functions)) + RIGHT).encode()


def indented_mixed(text: str) -> str:
    """The body of one function with tabs where the other has blanks."""
    head, name, rest = text.partition("def sparsity")
    return head + name + rest.replace("    ", "\t")


ODDITIES: dict[str, Oddity] = {
    # The same text, otherwise written down.
    "byte_order_mark": right(lambda text: codecs.BOM_UTF8 + text.encode()),
    "byte_order_mark_and_coding": right(lambda text: codecs.BOM_UTF8 + b"# coding: utf-8\n" + text.encode()),
    "crlf": right(lambda text: text.replace("\n", "\r\n").encode()),
    "byte_order_mark_and_crlf": right(lambda text: codecs.BOM_UTF8 + text.replace("\n", "\r\n").encode()),
    "cr_only": right(lambda text: text.replace("\n", "\r").encode()),
    "line_ends_mixed": right(lambda text: text.replace("\n", "\r\n", 3).encode()),
    "tabs": right(lambda text: text.replace("    ", "\t").encode()),
    "tabs_in_one_function": right(lambda text: indented_mixed(text).encode()),
    "no_newline_at_end": right(lambda text: text.rstrip("\n").encode()),
    "form_feeds": right(lambda text: text.replace("\n\n\n", "\n\x0c\n\n").encode()),
    "latin1_with_coding_line": Oddity(
        lambda: b"# -*- coding: latin-1 -*-\n" + LATIN.encode("latin-1"), BOTH, keeps=True
    ),
    "cp1252_with_coding_line": Oddity(
        lambda: b"# coding: cp1252\n" + LATIN.encode("cp1252"), BOTH, keeps=True
    ),
    "five_thousand_lines": Oddity(lambda: long_file(1000), BOTH, keeps=True),
    "just_under_a_megabyte": Oddity(
        lambda: (RIGHT + "#" + "x" * (2**20 - len(RIGHT) - 2) + "\n").encode(), BOTH, keeps=True
    ),
    "long_line": right(lambda text: (text + f"TABLE = [{'0, ' * 200_000}]\n").encode()),
    # Text in another encoding than it says.
    "latin1_without_coding_line": Oddity(lambda: LATIN.encode("latin-1"), reason=("utf-8",)),
    "coding_line_lies": Oddity(lambda: b"# coding: utf-8\n" + LATIN.encode("latin-1"), reason=("utf-8",)),
    "coding_unknown": Oddity(lambda: b"# coding: klingon\n" + RIGHT.encode(), reason=("encoding", "utf-8")),
    "coding_that_runs": Oddity(
        lambda: b"# coding: unicode_escape\n" + RIGHT.encode() + b'X = "\\x22; import os; os._exit(0) #"\n'
    ),
    "coding_rot13": Oddity(
        lambda: b"# coding: rot13\n" + codecs.encode(RIGHT, "rot13").encode(),
        reason=("encoding", "utf-8", "text"),
    ),
    "byte_order_mark_lies": Oddity(
        lambda: codecs.BOM_UTF8 + b"# coding: latin-1\n" + RIGHT.encode(), reason=("encoding", "utf-8")
    ),
    "utf16": Oddity(lambda: RIGHT.encode("utf-16"), reason=("utf-8", "null")),
    "utf16_without_mark": Oddity(lambda: RIGHT.encode("utf-16-le"), reason=("utf-8", "null")),
    "utf32": Oddity(lambda: RIGHT.encode("utf-32"), reason=("utf-8", "null")),
    "surrogates_as_bytes": Oddity(lambda: RIGHT.encode() + b'X = "\xed\xa0\x80"\n', reason=("utf-8",)),
    "overlong_utf8": Oddity(lambda: RIGHT.encode() + b'X = "\xc0\xaf"\n', reason=("utf-8",)),
    # No text, or none that is Python.
    "empty": Oddity(lambda: b"", reason=("missing",)),
    "blanks_only": Oddity(lambda: b" \n\t\n   \n\n", reason=("missing",)),
    "comment_only": Oddity(lambda: b"# to do", reason=("missing",)),
    "nul_byte_at_end": Oddity(lambda: RIGHT.encode() + b"\0", reason=("null",)),
    "nul_bytes_only": Oddity(lambda: bytes(4096), reason=("null",)),
    "nul_byte_in_text": Oddity(
        lambda: RIGHT.replace("compression,", "compression\0,").encode(), reason=("null",)
    ),
    "fifty_megabytes": Oddity(
        lambda: RIGHT.encode() + b"# padding\n" * 5_000_000, reason=("larger", "large", "mib")
    ),
    "just_over_a_megabyte": Oddity(lambda: RIGHT.encode() + b"#" * 2**20, reason=("larger", "large", "mib")),
    "notebook": Oddity(notebook, reason=("null", "true", "false", "name", "missing", "notebook")),
    "random_bytes": Oddity(
        lambda: bytes(k * 197 % 251 + 1 for k in range(2048)), reason=("utf-8", "line 1", "syntax")
    ),
    "compiled": Oddity(lambda: b"\xa7\r\r\n" + bytes(12) + b"\xe3" + bytes(64), reason=("utf-8", "null")),
    "a_zip": Oddity(lambda: b"PK\x03\x04" + bytes(200), reason=("null", "utf-8", "line 1")),
    "a_pdf": broken(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "utf-8", "line 1"),
    "html": broken("<!DOCTYPE html>\n<html><body>404: Not Found</body></html>\n", "line 1"),
    "prose": broken("Dear instructor,\nI could not finish this week.\n", "line 1"),
    "c_program": broken('#include <stdio.h>\nint main(void) { puts("hello"); }\n', "line 2"),
    "python_2": broken(RIGHT + '\nprint "done"\n', "print", "line"),
    "merge_conflict": broken("<<<<<<< HEAD\n" + RIGHT + "=======\n" + RIGHT + ">>>>>>> main\n", "line 1"),
    "diff": broken("--- a/compression.py\n+++ b/compression.py\n@@ -1,2 +1,2 @@\n-x\n+y\n", "line"),
    "doctest_prompt": broken(">>> " + RIGHT.replace("\n", "\n... "), "line 1"),
    "syntax_error_at_end": broken(RIGHT + "\n\ndef softmax(logits, temperature=1.0:\n", "line 14", "line"),
    "unclosed_string": broken(RIGHT + '\nX = """never closed\n', "line"),
    "backslash_at_end": broken(RIGHT + "\\\n", "line"),
    "unclosed_bracket": broken("X = [\n" + RIGHT, "line 1"),
    "indentation_mixed": broken("def count_parameters(model):\n        x = 1\n\treturn x\n", "line 3"),
    "indentation_odd": broken("def count_parameters(model):\n    x = 1\n   return x\n", "line 3"),
    "indentation_of_first_line": broken("    " + RIGHT, "line 1"),
    "typographic_quotes": broken(RIGHT.replace('"""', "\u201c"), "line 1"),
    "no_break_blanks": broken(RIGHT.replace("    ", "\xa0" * 4), "line"),
    "return_at_module_level": broken(RIGHT + "\nreturn count_parameters\n", "line 13", "return"),
    "yield_at_module_level": broken(RIGHT + "\nyield\n", "line 13", "yield"),
    "await_at_module_level": broken(RIGHT + "\nawait count_parameters\n", "line 13", "await"),
    "future_too_late": broken(RIGHT + "\nfrom __future__ import annotations\n", "line 13", "__future__"),
    "future_unknown": broken("from __future__ import full_points\n" + RIGHT, "full_points"),
    "assignment_to_keyword": broken(RIGHT + "\nNone = 1\n", "line 13"),
    "ipython_magic": broken("%matplotlib inline\n!pip install torch\n" + RIGHT, "line 1"),
    # Text that is too much for the compiler.
    "brackets_nested": broken(
        RIGHT + "\nX = " + "(" * 5000 + ")" * 5000 + "\n", "nested", "parenthes", "memory", "recursion"
    ),
    "operators_nested": broken(
        RIGHT + "\nX = " + "-" * 200_000 + "1\n", "recursion", "memory", "nested", "complex"
    ),
    "additions_nested": broken(
        RIGHT + "\nX = " + "+".join("1" * 100_000) + "\n", "recursion", "memory", "nested", "ended"
    ),
    "attributes_nested": broken(
        RIGHT + "\ndef f(x):\n    return x" + ".x" * 100_000 + "\n", "recursion", "memory", "nested", "ended"
    ),
    "blocks_nested": broken(
        RIGHT + "\n" + "".join(" " * k + "if 1:\n" for k in range(110)) + " " * 110 + "pass\n",
        "indent",
        "nested",
        "block",
    ),
    "loops_nested": broken(
        RIGHT + "\n" + "".join(" " * k + "for i in []:\n" for k in range(30)) + " " * 30 + "pass\n",
        "nested",
        "block",
    ),
    "comprehensions_nested": Oddity(
        lambda: (RIGHT + "\nX = " + "[" * 150 + "0" + " for i in [0]]" * 150 + "\n").encode(), BOTH
    ),
    "powers_folded": Oddity(
        lambda: (RIGHT + "\nX = 10 ** 10 ** 10 ** 10\n").encode(),
        reason=("time", "memory", "finish", "ended"),
    ),
    "text_multiplied": Oddity(
        lambda: (RIGHT + '\nX = "x" * 4096 * 4096 * 4096\n').encode(), reason=("memory", "ended")
    ),
    "huge_number": broken(RIGHT + "\nX = " + "9" * 5000 + "\n", "digits", "line"),
    "many_arguments": Oddity(
        lambda: (RIGHT + "\nX = dict(" + ", ".join(f"a{k}={k}" for k in range(5_000)) + ")\n").encode(),
        BOTH,
        keeps=True,
    ),
    "many_names": Oddity(
        lambda: (RIGHT + "".join(f"\na{k}={k}" for k in range(60_000)) + "\n").encode(), BOTH, keeps=True
    ),
    "f_strings_nested": broken(
        RIGHT + "\nX = " + 'f"{' * 60 + "1" + '}"' * 60 + "\n", "f-string", "nested", "line"
    ),
    "control_codes_in_error": broken(RIGHT + "\n\x1b[2J\x1b]0;graded: 100 points\x07 = 1\n", "line 13"),
    "right_to_left_marks": broken(RIGHT + "\nX\u202e = \u2066 1\n", "line 13"),
    "error_text_is_long": broken(RIGHT + "\nraise ValueError('x' * 10_000_000)\n", "valueerror"),
}
