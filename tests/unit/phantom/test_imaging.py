import numpy as np
import pytest

from kneeoa.config.phantom import Phantom
from kneeoa.phantom.anatomy import render
from kneeoa.phantom.anatomy.knee import make_knee
from kneeoa.phantom.anatomy.layers import Label, Tissue
from kneeoa.phantom.findings import draw_findings
from kneeoa.phantom.grid import Grid, axis_directions, rotation
from kneeoa.phantom.imaging import acquire, scanner

QUIET = Phantom(noise=0.0, bias=0.0)


@pytest.fixture(scope="module")
def knee():
    return make_knee(draw_findings(0.6, 1, 1, np.random.default_rng(4)), "R", 1.0, 1.0, np.random.default_rng(5))


@pytest.fixture(scope="module")
def grid(knee):
    return Grid.centred(np.linalg.inv(knee.to_frame)[:3, 3] + np.array([0, -5, 8]), (28, 70, 80), [4.0, 2.0, 2.0], "RIP")


def test_tissues_stand_out_as_on_dess(knee, grid):
    image = acquire(knee, grid, scanner(QUIET, 0), QUIET, np.random.default_rng(0))
    labels = render.label_map(knee, grid, whole=True)
    median = {label: np.median(image[labels == label]) for label in Label if np.any(labels == label)}
    assert median[Label.FLUID] > median[Label.FEMORAL_CARTILAGE] > median[Label.MUSCLE] > median[Label.FAT] > median[Label.FEMUR]
    assert median[Label.TENDON] < median[Label.FAT]
    assert median[Label.AIR] == 0


def test_noise_is_rician(knee, grid):
    loud = Phantom(noise=0.1, bias=0.0)
    machine = scanner(loud, 0)
    image = acquire(knee, grid, machine, loud, np.random.default_rng(0)).astype(float)
    air = image[render.label_map(knee, grid, whole=True) == Label.AIR]
    # In air the magnitude is Rayleigh: its mean over its standard deviation is sqrt(pi / (4 - pi)).
    assert air.size > 1000
    assert air.mean() / air.std() == pytest.approx(np.sqrt(np.pi / (4 - np.pi)), rel=0.06)
    assert air.mean() == pytest.approx(0.1 * machine.noise * machine.gain * np.sqrt(np.pi / 2), rel=0.3)


def test_bias_stays_within_its_peak(knee, grid):
    def ratio(seed):
        flat, bent = (acquire(knee, grid, scanner(p, 0), p, np.random.default_rng(seed)) for p in (QUIET, Phantom(noise=0.0, bias=0.3)))
        inside = (flat > 80) & (flat < 3000) & (bent < 4000)
        return bent[inside] / np.maximum(flat[inside], 1)

    ratios = [ratio(seed) for seed in (0, 1, 2)]
    # The gain jitters from scan to scan, so the spread is looked at and not the level.
    assert all(values.max() / values.min() < 1.3 / 0.7 * 1.05 for values in ratios)
    assert max(values.max() / values.min() for values in ratios) > 1.15


def test_the_same_seed_gives_the_same_picture(knee, grid):
    phantom = Phantom()
    a, b, c = (acquire(knee, grid, scanner(phantom, 1), phantom, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert a.dtype == np.uint16
    np.testing.assert_array_equal(a, b)
    assert np.mean(a != c) > 0.5


def test_scanners_differ():
    machines = [scanner(Phantom(), number) for number in range(3)]
    assert len({machine.gain for machine in machines}) == len({machine.noise for machine in machines}) == 3
    assert machines[0].tilt == (0.0, 0.0)
    assert all(abs(machine.tilt[0]) >= 2 for machine in machines[1:])
    assert all(machine.brightness[Tissue.CARTILAGE] == 1.0 for machine in machines)
    assert scanner(Phantom(), 2) == machines[2]
    assert scanner(Phantom(seed=8), 2) != machines[2]


def test_rotations_turn_the_way_they_say():
    np.testing.assert_allclose(rotation(0, 0, 90) @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(rotation(90, 0, 0) @ [0, 1, 0], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(rotation(0, 90, 0) @ [0, 0, 1], [1, 0, 0], atol=1e-12)


def test_axes_must_be_three_different_ones():
    with pytest.raises(ValueError, match="three different axes"):
        axis_directions("RLS")
