import os
import signal
import weakref
from collections import Counter
from pathlib import Path

import pytest

from nnunet_cardiac_ext import processes
from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.processes import available_cores, number_of_workers, run_jobs


# What workers call has to be importable there; a test module is not, so the functions are those of the library.
def test_one_worker_works_here_and_in_order():
    assert list(run_jobs(pow, [(2, 3), (3, 2), (5, 1)], workers=1)) == [8, 9, 5]


def test_one_worker_begins_a_job_only_when_it_is_asked_for():
    done = []
    results = run_jobs(done.append, [(1,), (2,)], workers=1)
    next(results)
    assert done == [1]


def test_several_workers_give_each_result_once():
    jobs = [(base, 2) for base in range(6)]
    assert sorted(run_jobs(pow, jobs, workers=2)) == [0, 1, 4, 9, 16, 25]
    assert set(run_jobs(os.getpid, [()] * 4, workers=2)).isdisjoint({os.getpid()})


def test_workers_leave_an_interruption_to_the_parent():
    assert list(run_jobs(signal.getsignal, [(signal.SIGINT,)] * 2, workers=2)) == [signal.SIG_IGN] * 2


def test_after_a_failure_nothing_new_begins(tmp_path):
    jobs = [(tmp_path / "absent" / "folder",)] + [(tmp_path / str(number),) for number in range(2000)]
    with pytest.raises(FileNotFoundError):
        list(run_jobs(Path.mkdir, jobs, workers=2))
    assert len(list(tmp_path.iterdir())) < 2000


def test_a_worker_that_dies_is_one_line():
    with pytest.raises(WorkError, match=r"a worker process died, .* try a smaller -np"):
        list(run_jobs(os._exit, [(3,)] * 2, workers=2))


def test_windows_gets_no_more_workers_than_it_bears(monkeypatch):
    asked = []

    def pool(count, **options):
        asked.append(count)
        raise RuntimeError

    monkeypatch.setattr(processes, "ProcessPoolExecutor", pool)
    monkeypatch.setattr(processes.sys, "platform", "win32")
    with pytest.raises(RuntimeError):
        list(run_jobs(pow, [(1, 1)] * 200, workers=128))
    assert asked == [61]


def test_no_more_processes_start_than_there_are_jobs():
    assert list(run_jobs(os.getpid, [()], workers=8)) == [os.getpid()]
    assert list(run_jobs(os.getpid, [], workers=8)) == []


def test_cores_are_those_of_the_job(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 5, 7}, raising=False)
    assert available_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert available_cores() == 64


def test_workers_are_those_asked_for_or_as_many_as_pay(monkeypatch):
    monkeypatch.setattr(processes, "available_cores", lambda: 4)
    assert [number_of_workers(None, jobs, jobs_per_worker=10) for jobs in (0, 19, 20, 1000)] == [1, 1, 2, 4]
    assert number_of_workers(7, 1, jobs_per_worker=10) == 7
    with pytest.raises(UsageError, match="-np: expected at least 1 process, got 0"):
        number_of_workers(0, 5, jobs_per_worker=10)


@pytest.mark.slow
def test_results_that_were_handed_out_are_not_kept():
    alive, most = [], 0
    for result in run_jobs(Counter, [(str(number),) for number in range(6)], workers=2):
        alive.append(weakref.ref(result))
        most = max(most, sum(reference() is not None for reference in alive))
    assert most <= 2  # the one at hand and the one before it
