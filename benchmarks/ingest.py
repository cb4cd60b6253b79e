"""Measure the speed and memory of ingestion: a DESS-sized knee from its file to its canonical
array, on one core; radiographs.

    python benchmarks/ingest.py [--rounds 5] [--knees 6] [--radiographs 2000] [--real FOLDER]

Against MONAI's dictionary transforms that give the same array, against reading and inflating the
file with the standard library, for a DICOM series against ``dcmread`` and ``pixel_array`` over its
files, for drawn radiographs of one knee against Pillow's decoding, resizing and z-score (and for
real ones, with ``--real``), and for a drawn film of both knees against ``pixel_array``. The
competitors take turns in one process, so that a busy machine is busy for all; each time is the best
of all rounds, in processor seconds (wall time beside it). A shard of radiographs is made by a
process of its own. The last line is a JSON object.
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"], "1"))

import argparse
import gzip
import json
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow" / "lib"))

from ingest_files import make_film, make_nifti, make_radiographs, make_series, make_voxels, write_tables

from kneeoa.config.volumes import Intensity, View
from kneeoa.formats.read_volume import read_volume
from kneeoa.ingestion.array_writer import row_writer
from kneeoa.ingestion.ingest import ingest
from kneeoa.ingestion.shard import make_volumes
from kneeoa.radiographs.exposed_field import exposed_field
from kneeoa.radiographs.joint import Joint, locate
from kneeoa.radiographs.read import read_radiograph
from kneeoa.volumes.canonical import to_canonical
from kneeoa.volumes.intensity import scale_intensities

VIEW = View(shape=(160, 256, 256), spacing=(0.7, 0.547, 0.547))
LINEAR = VIEW.model_copy(update={"antialias": False})
N4 = VIEW.model_copy(update={"intensity": Intensity(n4=True)})
RADIOGRAPH_COUNT = 8
VIEW_NAMES = {2: "pa", 3: "sag_dess"}
KNEES, CORES = 10_000, (1, 16, 256)
NIFTI, SERIES = "knee.nii.gz", "series"
OURS, MONAI, FLOOR = "NIfTI to canonical row (ours)", "the same by MONAI", "gzip.open(file).read()"
WRITE, CORRECTED = "  write the row (not in the above)", "ours with N4 (once)"
FILM = View(dimensions=2, shape=(224, 224), fit="extent")
RADIOGRAPHS, UNASKED, PILLOW = (
    "radiographs of one knee (ours)",
    "  without its checks (negatives: keep)",
    "decoded, resized, scaled by Pillow",
)
REAL, REAL_PILLOW = "real radiographs (ours)", "  the same by Pillow"
WHOLE_FILM = View(dimensions=2, shape=(224, 224), spacing=(0.7, 0.7))
BOTH, DECODED, LOCALISED = "a knee of a film of 10 MP (ours)", "  dcmread(f).pixel_array", "  its localiser"
OUR_SERIES, PYDICOM = "DICOM series to volume (ours)", "dcmread(f).pixel_array"


class Clock:
    """Processor and wall seconds of named pieces of work, each round's."""

    def __init__(self) -> None:
        self.rounds: dict[str, list[tuple[float, float]]] = {}

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        """Do a piece of work, keep its time, and return its result."""
        processor, wall = time.process_time(), time.perf_counter()
        result = work()
        self.rounds.setdefault(name, []).append((time.process_time() - processor, time.perf_counter() - wall))
        return result

    def best(self, name: str) -> tuple[float, float]:
        """Best processor seconds and best wall seconds."""
        processor, wall = np.array(self.rounds[name]).min(axis=0)
        return float(processor), float(wall)

    def ratio(self, name: str, other: str) -> float:
        """Best processor seconds of a piece over those of another."""
        return self.best(name)[0] / self.best(other)[0]


def monai_pipeline() -> Callable[[Path], NDArray[np.float16]]:
    """MONAI's transforms for the same canonical array; MONAI and torch are imported here."""
    warnings.simplefilter("ignore")
    import monai.transforms as m
    import torch

    torch.set_num_threads(1)
    key = ["image"]
    steps = m.Compose(
        [
            m.LoadImaged(key),
            m.EnsureChannelFirstd(key),
            m.Orientationd(key, axcodes="RIP"),
            m.Spacingd(key, pixdim=VIEW.spacing, mode="bilinear"),
            m.ScaleIntensityRangePercentilesd(key, lower=0.5, upper=99.5, b_min=0, b_max=1, clip=True),
            m.NormalizeIntensityd(key),
            m.ResizeWithPadOrCropd(key, spatial_size=VIEW.shape),
        ]
    )
    return lambda path: steps({"image": str(path)})["image"][0].numpy().astype(np.float16)


def pieces(clock: Clock, folder: Path) -> None:
    """Time the pieces of our own way one by one."""
    volume = clock("  read and inflate", lambda: read_volume(folder / NIFTI, "nifti"))
    clock("  digest of the voxels", volume.digest)
    canonical = clock("  orient and resample", lambda: to_canonical(volume, VIEW, "R"))
    scaled = clock("  clip, z-score, half precision", lambda: scale_intensities(canonical, VIEW.intensity))
    with row_writer(folder / "row.npy", VIEW.shape, np.float16) as writer:
        clock(WRITE, lambda: writer.append(scaled.array))


def inflate(path: Path) -> bytes:
    """Read and inflate a file with the standard library."""
    with gzip.open(path) as stream:
        return stream.read()


def pixels_of(path: Path) -> NDArray[Any]:
    """The pixels of one file alone with pydicom."""
    import pydicom

    return pydicom.dcmread(path).pixel_array


def decode_series(folder: Path) -> list[NDArray[Any]]:
    """Read the voxels alone with pydicom."""
    return [pixels_of(path) for path in sorted(folder.iterdir())]


def read_radiographs(paths: list[Path], view: View) -> None:
    """Radiographs of one right knee each to canonical rows."""
    for path in paths:
        ingest(path.parent, {"path": path.name, "format": "png", "shows": "knee"}, view, "R")


def resize_by_pillow(paths: list[Path]) -> None:
    """Decode, resize and z-score the same files."""
    for path in paths:
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("L").resize(FILM.shape, Image.Resampling.BILINEAR), dtype=np.float32)
        ((pixels - pixels.mean()) / pixels.std()).astype(np.float16)


def read_film(path: Path) -> None:
    """The right knee of a film of both to its canonical row."""
    ingest(path.parent, {"path": path.name, "format": "dicom-file", "shows": "both"}, WHOLE_FILM, "R")


def localise(path: Path) -> Callable[[], Joint]:
    """The localiser alone, of a film that is in memory."""
    film = read_radiograph(path, "dicom-file", "frontal")
    field = exposed_field(film.pixels)
    return lambda: locate(film, field, {"shows": "both"}, WHOLE_FILM, "R")


def agreement(ours: NDArray[np.float16], theirs: NDArray[np.float16], correlation: float, median: float) -> str:
    """Correlation and absolute difference (in standard deviations of the image) of two arrays, as
    text.

    Raises:
        AssertionError: they are further apart than allowed.
    """
    a, b = ours.astype(np.float32).ravel(), theirs.astype(np.float32).ravel()
    likeness, apart = float(np.corrcoef(a, b)[0, 1]), float(np.median(np.abs(a - b)))
    if likeness <= correlation or apart >= median:
        raise AssertionError(f"not the same array: correlation {likeness:.5f}, median difference {apart:.4f} sd")
    return f"correlation {likeness:.5f}, median difference {apart:.4f} sd"


def run_worker(folder: Path, view: View, files: list[tuple[str, str]]) -> tuple[float, float]:
    """Peak memory (MB) and processor seconds of a fresh worker process that runs the volumes stage
    over ``files``.
    """
    write_tables(folder, files, VIEW_NAMES[view.dimensions])
    command = [sys.executable, __file__, "--worker", str(folder), "--view", view.model_dump_json()]
    memory, seconds = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(memory), float(seconds)


def worker(folder: Path, view: View) -> None:
    """The volumes stage over the made cohort; prints the process's peak memory in MB, and the
    stage's processor seconds.
    """
    started = time.process_time()
    make_volumes(
        images=folder / "images.parquet", cases=folder / "cases.parquet", root=folder, cohort="main",
        view_name=VIEW_NAMES[view.dimensions], view=view, shard=0,
        out_array=folder / "out.npy", out_index=folder / "out.parquet", out_exclusions=folder / "out.exclusions.parquet",
    )  # fmt: skip
    seconds = time.process_time() - started
    # Not getrusage: a child's ru_maxrss begins with what its parent held when it was forked.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    print(int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024 / 1e6, seconds)


def shard_of_radiographs(folder: Path, number: int) -> tuple[float, float]:
    """Images a second and peak memory (MB) of a shard of drawn radiographs, each of a case of its
    own; the files are a hundred, under other names.
    """
    drawn = make_radiographs(folder / "shard", min(number, 100))
    files = []
    for place in range(number):
        path = folder / "shard" / f"case-{place}.png"
        os.link(drawn[place % len(drawn)], path)
        files.append((str(path.relative_to(folder)), "png"))
    memory, seconds = run_worker(folder, FILM, files)
    return number / seconds, memory


def measure(folder: Path, rounds: int, knees: int, shard: int, real: list[Path]) -> dict[str, float]:
    """Run everything in a folder of its own, print the table, and return the figures."""
    voxels = make_voxels()
    compressed, raw = make_nifti(folder / NIFTI, voxels) / 1e6, voxels.nbytes / 1e6
    make_series(folder / SERIES, voxels)
    del voxels
    radiographs = make_radiographs(folder / "radiographs", RADIOGRAPH_COUNT)
    film = make_film(folder / "film.dcm")
    localiser = localise(film)
    keep = FILM.model_copy(update={"negatives": "keep"})
    clock, monai = Clock(), monai_pipeline()
    row = {"path": NIFTI, "format": "nifti"}
    for _ in range(rounds):
        theirs = clock(MONAI, lambda: monai(folder / NIFTI))
        ours = clock(OURS, lambda: ingest(folder, row, VIEW, "R").array)
        clock(FLOOR, lambda: inflate(folder / NIFTI))
        pieces(clock, folder)
        clock(OUR_SERIES, lambda: read_volume(folder / SERIES, "dicom"))
        clock(PYDICOM, lambda: decode_series(folder / SERIES))
        clock(RADIOGRAPHS, lambda: read_radiographs(radiographs, FILM))
        clock(UNASKED, lambda: read_radiographs(radiographs, keep))
        clock(PILLOW, lambda: resize_by_pillow(radiographs))
        clock(BOTH, lambda: read_film(film))
        clock(LOCALISED, localiser)
        clock(DECODED, lambda: pixels_of(film))
        if real:
            clock(REAL, lambda: read_radiographs(real, FILM))
            clock(REAL_PILLOW, lambda: resize_by_pillow(real))
    clock(CORRECTED, lambda: ingest(folder, row, N4, "R"))
    linear = ingest(folder, row, LINEAR, "R").array
    print(f"one knee: {raw:.1f} MB of int16, {compressed:.1f} MB as .nii.gz ({compressed / raw:.0%}); best of {rounds} rounds, one core;")
    print(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print(f"{'':36s}{'processor s':>12s}{'wall s':>9s}")
    for name in clock.rounds:
        print(f"{name:36s}{clock.best(name)[0]:12.3f}{clock.best(name)[1]:9.3f}")
    print(f"\nthe same array as MONAI's: {agreement(ours, theirs, 0.999, 0.02)}")
    print("  (ours averages over what a coarser voxel covers, MONAI interpolates between the nearest voxels: less of the noise is left)")
    print(f"  without that average ('antialias: false'): {agreement(linear, theirs, 0.9999, 0.002)}")
    throughput, shard_mb = shard_of_radiographs(folder, shard)
    figures = {
        "nifti_speedup_over_monai": clock.ratio(MONAI, OURS),
        "nifti_time_over_inflate": clock.ratio(OURS, FLOOR),
        "dicom_time_over_pydicom": clock.ratio(OUR_SERIES, PYDICOM),
        "radiograph_time_over_pillow": clock.ratio(RADIOGRAPHS, PILLOW),
        "radiograph_checks_ms": 1000 * (clock.best(RADIOGRAPHS)[0] - clock.best(UNASKED)[0]) / RADIOGRAPH_COUNT,
        "radiographs_per_second": throughput,
        "radiographs_peak_mb": shard_mb,
        "film_time_over_decoding": clock.ratio(BOTH, DECODED),
        "film_ms": 1000 * clock.best(BOTH)[0],
        "film_localiser_ms": 1000 * clock.best(LOCALISED)[0],
        "film_decoding_ms": 1000 * clock.best(DECODED)[0],
        "peak_mb": run_worker(folder, VIEW, [(NIFTI, "nifti"), (SERIES, "dicom")] * (knees // 2))[0],
        "peak_n4_mb": run_worker(folder, N4, [(NIFTI, "nifti")])[0],
        "seconds_per_knee": clock.best(OURS)[0] + clock.best(WRITE)[0],
        "seconds_per_knee_n4": clock.best(CORRECTED)[0],
    }
    if real:
        figures["real_radiograph_time_over_pillow"] = clock.ratio(REAL, REAL_PILLOW)
    print(f"\ntimes faster than MONAI: {figures['nifti_speedup_over_monai']:.2f} (goal: at least 3)")
    print(f"time over inflating: {figures['nifti_time_over_inflate']:.2f} (goal: at most 2)")
    print(f"DICOM time over pydicom: {figures['dicom_time_over_pydicom']:.2f} (goal: at most 2)")
    over, checks = figures["radiograph_time_over_pillow"], figures["radiograph_checks_ms"]
    print(f"radiographs' time over Pillow: {over:.1f} (goal: at most 5); the checks of one: {checks:.1f} ms")
    print(f"a shard of {shard} radiographs: {throughput:.0f} a second of one core, {shard_mb:.0f} MB")
    print(f"a film's time over decoding: {figures['film_time_over_decoding']:.0f}; its localiser: {figures['film_localiser_ms']:.0f} ms")
    print(f"peak memory of a worker, {knees} knees: {figures['peak_mb']:.0f} MB (goal: below 800); with N4: {figures['peak_n4_mb']:.0f} MB")
    for cores in CORES:
        seconds = KNEES * figures["seconds_per_knee"] / cores
        print(f"{KNEES:,} knees on {cores:3d} cores: {seconds / 60:6.1f} min, reading {KNEES * compressed / seconds / 1000:6.2f} GB/s")
    print("  (processor time alone: where the disk cannot read that fast, the disk is the limit)")
    return {name: round(value, 3) for name, value in figures.items()}


def main() -> None:
    """Make the files, take turns, print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each competitor runs")
    parser.add_argument("--knees", type=int, default=6, help="knees of the worker whose memory is measured")
    parser.add_argument("--radiographs", type=int, default=2000, help="radiographs of the shard whose throughput is measured")
    parser.add_argument("--real", type=Path, help="a folder of PNG radiographs of one knee each, upright")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--view", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.worker, View.model_validate_json(options.view))
        return
    with tempfile.TemporaryDirectory() as name:
        real = sorted(options.real.rglob("*.png")) if options.real else []
        print(json.dumps(measure(Path(name), options.rounds, options.knees, options.radiographs, real)))


if __name__ == "__main__":
    main()
