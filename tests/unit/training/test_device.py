from __future__ import annotations

import platform

import pytest
import torch

from kneeoa.training.device import keep_freed_memory, precision, reproducible


def test_settings_hold_inside_and_are_put_back():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    threads = torch.get_num_threads()
    with reproducible(threads + 1):
        assert torch.get_num_threads() == threads + 1
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.utils.deterministic.fill_uninitialized_memory
        torch.rand(1)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory
    assert torch.equal(torch.get_rng_state(), before)


def test_settings_are_put_back_after_an_error():
    with pytest.raises(ValueError, match="inside"), reproducible(1):
        raise ValueError("inside")
    assert not torch.are_deterministic_algorithms_enabled()


def test_the_compiler_is_told_where_it_is_used():
    with reproducible(1, compiled=True):
        assert torch.are_deterministic_algorithms_enabled()
        assert torch._inductor.config.deterministic
    assert not torch.are_deterministic_algorithms_enabled()
    assert not torch._inductor.config.deterministic


@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_a_cpu_computes_in_float32_whatever_the_precision(name):
    with precision(name, torch.device("cpu")):
        assert not torch.is_autocast_enabled("cpu")
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_the_c_library_takes_its_settings_where_it_is_glibc():
    assert keep_freed_memory() == (platform.libc_ver()[0] == "glibc")
