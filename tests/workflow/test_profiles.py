"""The profiles: disjoint keys, found from a fresh clone, and GPU rules named where a profile must
name them.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.dag import ROOT
from tests.slurm.asks import gpu_rules
from tests.suites import LAST_RESORT

PROFILES = sorted(path.parent.name for path in (ROOT / "profiles").glob("*/profile.yaml"))
CLUSTER = ["slurm", "slurm-gres", "slurm-packed"]


def profile(name: str) -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "profiles" / name / "profile.yaml").read_text())
    assert isinstance(loaded, dict)
    return loaded


def commented(name: str, key: str) -> dict[str, Any]:
    """The example that a profile holds under a key, as a comment."""
    text = (ROOT / "profiles" / name / "profile.yaml").read_text()
    block = re.search(rf"^# ({key}:\n(?:#   .*\n)+)", text, re.M)
    assert block, f"profiles/{name} no longer shows {key}"
    loaded = yaml.safe_load(re.sub(r"^# ", "", block[1], flags=re.M))
    return dict(loaded[key])


def test_there_is_a_default_and_three_cluster_profiles() -> None:
    assert sorted(["default", *CLUSTER]) == PROFILES


@pytest.mark.parametrize("name", CLUSTER)
def test_a_cluster_profile_shares_no_key_with_the_default_one(name: str) -> None:
    # The default profile is loaded beside it, and its keys would replace the cluster's whole,
    # without a word.
    assert profile("default").keys() & profile(name).keys() == set()


def test_the_gres_profile_adds_to_the_slurm_profile_and_replaces_nothing() -> None:
    assert profile("slurm").keys() & profile("slurm-gres").keys() == set()


@pytest.mark.parametrize("name", PROFILES)
def test_no_profile_decides_how_much_of_a_machine_is_used(name: str) -> None:
    # A global `resources: {gpu: 1}` would hold a whole cluster to one GPU.
    assert profile(name).keys() & {"cores", "resources", "set-threads"} == set()


def test_code_is_not_a_trigger_because_params_hold_its_digest() -> None:
    assert sorted(profile("default")["rerun-triggers"]) == ["input", "mtime", "params", "software-env"]


def test_profiles_name_exactly_the_rules_that_ask_for_gpus() -> None:
    assert gpu_rules(), "no rule asks for a GPU"
    assert set(profile("slurm-gres")["set-resources"]) == gpu_rules()
    assert set(commented("slurm", "set-resources")) == gpu_rules()


def test_gres_takes_back_the_gpu_that_the_rule_asks_for() -> None:
    for asks in profile("slurm-gres")["set-resources"].values():
        assert asks["gpu"] == 0
        assert re.fullmatch(r"gpu(:\w+)?:\d+", asks["gres"])


def test_partitions_offer_gpus_and_cpus() -> None:
    file = ROOT / "profiles" / "slurm" / profile("slurm")["slurm-partition-config"]
    limits = yaml.safe_load(file.read_text())["partitions"]
    assert any(limit["max_gpu"] == 0 for limit in limits.values())
    assert any(limit["max_gpu"] > 0 for limit in limits.values())


def test_the_link_at_the_root_is_tracked_as_a_link_and_leads_to_the_slurm_profile() -> None:
    link = ROOT / "slurm"
    assert link.is_symlink()
    assert link.readlink() == Path("profiles/slurm")


def test_the_command_a_person_types_finds_the_profile_and_keeps_the_default_one(tmp_path: Path) -> None:
    (tmp_path / "profiles").symlink_to(ROOT / "profiles")
    (tmp_path / "slurm").symlink_to("profiles/slurm")
    (tmp_path / "Snakefile").write_text("rule all:\n    localrule: True\n")
    command = [sys.executable, "-m", "snakemake", "--profile", "slurm", "--profile", "profiles/slurm-gres", "-n"]
    variables = {key: value for key, value in os.environ.items() if key != "SNAKEMAKE_PROFILE"}
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=LAST_RESORT)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "Using profiles slurm and profiles/slurm-gres and workflow specific profile profiles/default" in output
