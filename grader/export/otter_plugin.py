"""What happens in `otter run` in the place of running the submission: the grader grades it, in its sandbox.

Needs the package otter-grader, the extra `otter`; `otter run` imports this because the exported zip names it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import nbformat  # noqa: E402
from otter.plugins import AbstractOtterPlugin  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: E402

from grader import GraderError, UnusableError  # noqa: E402
from grader.export.otter import VERDICTS, rules_here, verdicts_of  # noqa: E402
from grader.grade import Request, grade  # noqa: E402
from grader.record import Record  # noqa: E402
from grader.table import summary  # noqa: E402


class Featherweight(AbstractOtterPlugin):
    """Grades the submission; otter's tests then read what came of it."""

    record: Record

    def before_execution(self, submission: Any) -> nbformat.NotebookNode:
        """An empty notebook: nothing of the submission runs in otter's own processes.

        Raises GraderError where nothing was graded, so that `otter run` ends without a result.
        """
        path = Path(self.submission_path)
        if path.suffix != ".py":
            raise UnusableError(f"{path.name} is no compression.py: Featherweight grades that file")
        if self.plugin_config.get("rules_sha256") != rules_here():
            raise GraderError("this autograder was exported with other rules: export it again")
        with tempfile.TemporaryDirectory() as folder:
            self.record = grade(Request(path=path, out=Path(folder), competes=False))
        if self.record["error"] is not None:
            raise GraderError(self.record["error"])
        Path(VERDICTS).write_text(verdicts_of(self.record["tests"]), encoding="utf-8")
        return nbformat.v4.new_notebook()

    def generate_report(self) -> str:
        return f"{summary(self.record)} (sandbox: {self.record['grader']['sandbox']})"
