"""A class on a real Dask cluster, of which one process is killed on the way."""

from __future__ import annotations

import os
import signal
import threading

import distributed
import pytest

from grader import GraderError
from grader.classroom.command import pool_for
from grader.classroom.results import Results
from tests.classroom import POINTS, TEXTS, graded, make_class, small_suites, wait_until


def test_a_machine_that_dies_costs_nobody_anything(tmp_path):
    place, out = make_class(tmp_path / "in"), tmp_path / "out"
    suites = small_suites(tmp_path / "suites")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = client.run(os.getpid)
        assert len(set(pids.values()) | {os.getpid()}) == 3

        def kill_one() -> None:
            wait_until(lambda: len(list(out.glob("*/runs/0*"))) >= 2)
            os.kill(min(pids.values()), signal.SIGKILL)

        killer = threading.Thread(target=kill_one)
        killer.start()
        pool = pool_for(cluster.scheduler_address)
        done = graded(place, out, suites, pool=pool)
        killer.join()
        assert min(pids.values()) not in client.run(os.getpid).values()
    assert done.errors == []
    assert {row.id: row.final for row in done.rows if row.id in POINTS} == POINTS
    assert {len(list(Results(out).shelf(name).folder.glob("runs/0*"))) for name in TEXTS} == {1}


def test_no_cluster_is_said_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("grader.classroom.dask_pool.CONNECT_SECONDS", 1)
    place, suites = make_class(tmp_path / "in", {"ada": ""}), small_suites(tmp_path / "suites")
    pool = pool_for("tcp://127.0.0.1:9")
    with pytest.raises(GraderError, match="there is no Dask scheduler at"):
        graded(place, tmp_path / "out", suites, pool=pool)
