"""A stand-in for the driver's library: what is asked of it, and what is made of its answers."""

# ruff: noqa: N802 (the functions are named as the library's)

from __future__ import annotations

import ctypes
from types import SimpleNamespace

import pytest
import torch

from kneeoa.training import cost, gpu_energy
from kneeoa.training.cost import Cost, Meter

GPU = torch.device("cuda", 0)


class Library:
    """Counts up by 1500 mJ a question."""

    def __init__(self, refuses=()):
        self.refuses, self.millijoules = refuses, 0

    def nvmlInit_v2(self):
        return 0

    def nvmlDeviceGetHandleByUUID(self, name, handle):
        assert name == b"GPU-1234"
        ctypes.cast(handle, ctypes.POINTER(ctypes.c_void_p))[0] = 42
        return 3 if "handle" in self.refuses else 0

    def nvmlDeviceGetTotalEnergyConsumption(self, handle, used):
        assert handle.value == 42
        self.millijoules += 1500
        ctypes.cast(used, ctypes.POINTER(ctypes.c_ulonglong))[0] = self.millijoules
        return 3 if "energy" in self.refuses else 0

    def nvmlSystemGetDriverVersion(self, text, length):
        assert length.value == len(text)
        text.value = b"570.1"
        return 3 if "driver" in self.refuses else 0


@pytest.fixture
def library(monkeypatch):
    def use(made):
        monkeypatch.setattr(gpu_energy, "_library", lambda: made)
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid="1234"))
        return made

    return use


def test_a_device_that_counts(library):
    library(Library())
    assert [gpu_energy.total_joules(GPU), gpu_energy.total_joules(GPU)] == [1.5, 3.0]
    assert gpu_energy.driver_version(GPU) == "570.1"


@pytest.mark.parametrize("refuses", ["handle", "energy"])
def test_a_device_that_does_not_count(library, refuses):
    library(Library(refuses={refuses}))
    assert gpu_energy.total_joules(GPU) is None


def test_no_driver_and_a_cpu(library):
    library(Library(refuses={"driver"}))
    assert gpu_energy.driver_version(GPU) is None
    library(None)
    assert gpu_energy.total_joules(GPU) is gpu_energy.driver_version(GPU) is None
    assert gpu_energy.total_joules(torch.device("cpu")) is gpu_energy.driver_version(torch.device("cpu")) is None


def test_this_machine_is_asked_without_harm():
    gpu_energy._library.cache_clear()
    assert gpu_energy._library() is None or gpu_energy._library().nvmlInit_v2() == 0


def test_a_meter_adds_up_over_jobs(library, monkeypatch):
    library(Library())
    monkeypatch.setattr(cost, "device_name", lambda device: "a GPU")
    peaks = iter([5.0, 3.0, 7.0])
    monkeypatch.setattr(cost, "peak_memory_mb", lambda device: {"device": next(peaks)})
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(cost, "time", SimpleNamespace(monotonic=lambda: clock.now))
    spent = Cost(seconds=10.0, energy_joules=100.0, devices=["another GPU"])
    meter = Meter(GPU, 0.0)
    for now in (2.0, 3.0, 7.0):
        clock.now = now
        meter.read(spent)
    assert spent.seconds == 17.0
    assert spent.energy_joules == pytest.approx(104.5)
    assert spent.peak_memory_mb == {"device": 7.0}
    assert spent.devices == ["another GPU", "a GPU"]
