"""Disk, workers and shared memory, on machines that we make up."""

from collections import namedtuple

import pytest

from nnunet_cardiac_ext.doctor import machine

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    ("gib", "status"), [(200, "ok"), (10, "ok"), (9.9, "warning"), (1, "warning"), (0.9, "problem")]
)
def test_free_space_of_each_directory(gib, status, nnunet_root, monkeypatch):
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda folder: Usage(0, 0, gib * 2**30))
    checks = list(machine.disk_space())
    assert [check.status for check in checks] == [status] * 3
    assert all(bool(check.remedy) == (status != "ok") for check in checks)


def test_directories_that_are_not_there_have_no_disk(monkeypatch):
    for variable in machine.DIRECTORY_VARIABLES:
        monkeypatch.setenv(variable, "/no/such/folder")
    assert list(machine.disk_space()) == []


@pytest.fixture
def computer(monkeypatch):
    """Pretends to be a machine of some cores and memory in GiB, 64 cores in all."""

    def pretend(cores, memory, **variables):
        monkeypatch.setattr(machine, "available_cores", lambda: cores)
        monkeypatch.setattr(machine, "available_memory", lambda: None if memory is None else memory * 2**30)
        monkeypatch.setattr(machine.os, "cpu_count", lambda: 64)
        for variable, _, _ in machine.WORKER_VARIABLES:
            monkeypatch.delenv(variable, raising=False)
        for variable, value in variables.items():
            monkeypatch.setenv(variable, value)
        return list(machine.workers())

    return pretend


def test_defaults_fit_a_large_machine(computer):
    assert [check.status for check in computer(16, 64)] == ["ok", "ok"]


def test_more_workers_than_cores_of_the_job_are_warned_of(computer):
    preprocessing, augmentation = computer(4, 64)
    assert (preprocessing.status, preprocessing.remedy) == ("warning", "export nnUNet_def_n_proc=4")
    assert (augmentation.status, augmentation.remedy) == ("warning", "export nnUNet_n_proc_DA=4")


def test_memory_limits_workers_too(computer):
    check, _ = computer(32, 3, nnUNet_def_n_proc="8")
    assert (check.status, check.remedy) == ("warning", "export nnUNet_def_n_proc=3")


def test_unknown_memory_is_left_out(computer):
    assert [check.status for check in computer(12, None)] == ["ok", "ok"]


@pytest.mark.parametrize("value", ["many", "-1", "2.5"])
def test_a_number_of_workers_that_is_none_is_a_problem(computer, value):
    _, check = computer(8, 64, nnUNet_def_n_proc="8", nnUNet_n_proc_DA=value)
    assert (check.status, check.remedy) == ("problem", "export nnUNet_n_proc_DA=8")


def test_no_augmentation_workers_is_allowed(computer):
    _, check = computer(8, 64, nnUNet_n_proc_DA="0")
    assert check.status == "ok"


@pytest.mark.parametrize(("mebibytes", "status"), [(64, "warning"), (1024, "ok")])
def test_shared_memory(mebibytes, status, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "SHARED_MEMORY", tmp_path)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda folder: Usage(mebibytes * 2**20, 0, 0))
    (check,) = machine.shared_memory()
    assert check.status == status


def test_without_a_mount_nothing_is_said_of_shared_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "SHARED_MEMORY", tmp_path / "none")
    assert list(machine.shared_memory()) == []


def test_memory_is_that_of_the_container_where_it_is_smaller(monkeypatch):
    monkeypatch.setattr(machine, "_free_of_machine", lambda: 8)
    monkeypatch.setattr(machine, "_limit_of_container", lambda: 3)
    assert machine.available_memory() == 3
    monkeypatch.setattr(machine, "_limit_of_container", lambda: None)
    assert machine.available_memory() == 8
    monkeypatch.setattr(machine, "_free_of_machine", lambda: None)
    assert machine.available_memory() is None
