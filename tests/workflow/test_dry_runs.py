"""The DAG over a matrix of configurations, by dry runs: no image is opened, no job runs."""

import copy
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.dag import ROOT, planned, rules, snakemake
from tests.plugin_inputs import make_plugin_inputs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty working directory; the workflow itself is read from the tree."""
    return tmp_path_factory.mktemp("dry")


Plan = list[tuple[str, dict[str, str]]]


def _plan(folder: Path, config: dict[str, Any], *targets: str, environment: dict[str, str] | None = None) -> Plan:
    file = folder / "study.yaml"
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    # Targets come first: --configfile takes every word that follows it.
    return planned(folder, *targets, "-s", str(ROOT / "Snakefile"), "--configfile", str(file), environment=environment)


def _config(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / name).read_text())


def test_the_default_study_has_one_job_per_arm_and_seed(folder: Path) -> None:
    jobs = _plan(folder, _config("config.yaml"))
    counts = Counter(rule for rule, _ in jobs)
    assert counts["train_run"] == counts["predict"] == counts["saliency"] == 3 * 3 * 2
    assert counts["make_volumes"] == counts["make_masks"] == counts["make_inputs"] == 4
    assert {(w["arm"], w["seed"]) for r, w in jobs if r == "train_run"} == {
        (f"{b}-{m}", s) for b in ("resnet3d", "m3t", "nnmamba") for m in ("single-oa", "single-kl", "dual") for s in ("1", "2")
    }


def test_only_arms_with_a_grid_of_their_own_are_resampled(folder: Path) -> None:
    config = _config("config.yaml")
    config["arms"] = [{"backbone": "resnet3d", "mode": "dual"}]
    config["statistics"]["contrasts"] = []
    config["statistics"]["families"] = []
    del config["statistics"]["primary"]
    assert "make_inputs" not in rules(_plan(folder, config))


def test_a_cohort_without_masks_has_saliency_but_no_anatomy(folder: Path) -> None:
    config = _config("config.yaml")
    config["cohorts"]["phantom"]["tissues"] = {}
    planned = rules(_plan(folder, config))
    assert "saliency" in planned
    assert not {"make_masks", "overlap", "anatomy", "figure anatomy"} & planned


def test_stacked_mode_and_several_weights_join_by_configuration(folder: Path) -> None:
    config = _config("config.yaml")
    config["arms"].append({"backbone": "resnet3d", "mode": "dual_stacked"})
    jobs = _plan(folder, config, "train")
    assert ("train_run", {"arm": "resnet3d-dual-stacked", "seed": "2"}) in jobs


def test_an_external_cohort_is_read_but_never_trained_on(folder: Path) -> None:
    config = _config("config.yaml")
    config["cohorts"]["elsewhere"] = copy.deepcopy(config["cohorts"]["phantom"]) | {"role": "external"}
    config["cohorts"]["elsewhere"]["phantom"]["population"] = 1
    jobs = _plan(folder, config)
    assert {w["cohort"] for r, w in jobs if r == "make_volumes"} == {"phantom", "elsewhere"}
    measured = {"external", *(f"table external_{name}" for name in ("accuracy", "change", "calibration"))}
    assert measured <= rules(jobs)
    assert "external" in rules(_plan(folder, config, "statistics"))
    assert not measured & rules(_plan(folder, _config("config.yaml")))
    config["cohorts"]["elsewhere"] |= {"labels": {"oa": {"columns": ["XRKL"], "at_least": 2}}}
    assert measured <= rules(_plan(folder, config)), "also where it is labelled at the coarse level alone"
    assert Counter(rule for rule, _ in jobs)["train_run"] == 18


def test_two_phantoms_of_one_population_must_say_whose_ids_they_have(folder: Path) -> None:
    config = _config("config.yaml")
    config["cohorts"]["elsewhere"] = copy.deepcopy(config["cohorts"]["phantom"]) | {"role": "external"}
    (folder / "edited.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    run = snakemake(folder, "-n", "-s", str(ROOT / "Snakefile"), "--configfile", str(folder / "edited.yaml"))
    assert run.returncode != 0
    assert "say 'same_people: [phantom, elsewhere]'" in run.stdout + run.stderr
    config["distinct_people"] = ["phantom", "elsewhere"]
    assert {w["cohort"] for rule, w in _plan(folder, config) if rule == "make_splits"} == {"phantom", "elsewhere"}


def test_a_phantom_of_single_knees_is_read_by_its_table(folder: Path) -> None:
    config = _config("tests/small_films.yaml")
    config["cohorts"]["most"] |= {
        "reader": "manifest",
        "manifest": {"table": "knees.csv", "subject": "subject", "side": "side", "path": "image", "mask": "mask"},
        "labels": {"kl": "kl"},
    }
    config["cohorts"]["most"]["phantom"]["form"] = "knees"
    jobs = _plan(folder, config)
    of_rule = {rule: {w["cohort"] for r, w in jobs if r == rule} for rule in ("phantom_manifest", "phantom_tables", "phantom_radiographs")}
    assert of_rule == {"phantom_manifest": {"most"}, "phantom_tables": {"oai"}, "phantom_radiographs": {"oai", "most"}}


def test_a_study_of_noisy_raters_has_their_labels_and_figure(folder: Path) -> None:
    config = _config("workflow/studies/noisy_raters.yaml")
    jobs = _plan(folder, config)
    counts = Counter(rule for rule, _ in jobs)
    assert counts["train_run"] == counts["predict"] == 3 * 4 * 3
    assert {w["rater"] for rule, w in jobs if rule == "rate_labels"} == {"r10", "r20", "r40"}
    assert counts["raters"] == 1
    assert "figure raters" in rules(jobs)
    config["arms"] = [{"backbone": "resnet3d", "mode": ["single_oa", "single_kl", "dual"]}]
    assert not {"rate_labels", "raters", "figure raters"} & rules(_plan(folder, config))


@pytest.mark.parametrize(
    ("target", "has", "lacks"),
    [
        ("cohort", {"phantom_tables", "read_cohort"}, {"make_volumes", "train_run"}),
        ("volumes", {"make_volumes", "make_masks", "make_splits", "flow"}, {"train_run"}),
        ("train", {"train_run"}, {"predict", "make_masks"}),
        ("statistics", {"metrics", "contrasts", "predict"}, {"saliency", "report"}),
        ("figures", {"figure forest", "figure saliency"}, {"report"}),
        ("report", {"report", "figure forest", "table contrasts"}, set()),
    ],
)
def test_named_targets_are_parts_of_the_road(folder: Path, target: str, has: set[str], lacks: set[str]) -> None:
    planned = rules(_plan(folder, _config("config.yaml"), target))
    assert has <= planned
    assert not lacks & planned


def test_the_slowest_figures_are_begun_before_others(folder: Path) -> None:
    run = snakemake(folder, "figures", "-n", "-s", str(ROOT / "Snakefile"), "--configfile", str(ROOT / "config.yaml"))
    first = re.findall(r"^    wildcards: figure=(\w+)\n    priority: 1$", run.stdout + run.stderr, re.M)
    assert sorted(first) == ["axis", "forest", "saliency"]


IMAGE_STAGES = {"phantom_tables", "phantom_images", "read_cohort", "make_volumes", "make_masks", "make_inputs", "make_splits", "flow"}
RUN_STAGES = {"train_run", "predict", "saliency", "geometry", "overlap", "anatomy"}


def test_the_published_study_has_no_image_stage_and_no_training(folder: Path) -> None:
    tables = folder / "tables" / "paper_a_predictions"
    tables.mkdir(parents=True)
    config = _config("workflow/studies/published.yaml")
    for arm in config["imports"]["arms"].values():
        (tables / arm["file"]).touch()
    jobs = _plan(folder, config, environment={"KNEEOA_REAL_DATA": str(folder / "tables")})
    assert not (IMAGE_STAGES | RUN_STAGES) & rules(jobs)
    assert Counter(rule for rule, _ in jobs)["import_predictions"] == 9
    assert {"metrics", "contrasts", "figure forest", "figure roc", "figure confusion", "table contrasts", "report"} <= rules(jobs)


def test_the_published_study_without_its_folder_stops_with_a_sentence(folder: Path) -> None:
    run = snakemake(
        folder, "-n", "-s", str(ROOT / "Snakefile"), "--configfile", str(ROOT / "workflow/studies/published.yaml"),
        environment={"KNEEOA_REAL_DATA": ""},
    )  # fmt: skip
    assert run.returncode != 0
    assert "imports.folder" in run.stdout + run.stderr


def test_paper_a_at_full_size_dry_runs_on_placeholder_files(folder: Path) -> None:
    """481 knees in OAI-ZIB's layout: 3 backbones, 4 modes, 5 seeds, 160x256x256; every file is
    empty.
    """
    root = folder / "oai_zib"
    for name in ("imagesTr", "labelsTr", "imagesTs", "labelsTs"):
        (root / name).mkdir(parents=True)
    for table in ("subInfo_train.xlsx", "subInfo_test.xlsx"):
        (root / table).touch()
    for number in range(1, 482):
        part = "Tr" if number <= 383 else "Ts"
        (root / f"images{part}" / f"oaizib_{number:03d}_0000.nii.gz").touch()
        (root / f"labels{part}" / f"oaizib_{number:03d}.nii.gz").touch()
    config = _config("workflow/studies/coarse2fine.yaml")
    jobs = _plan(folder, config, environment={"OAI_ZIB": str(root)})
    counts = Counter(rule for rule, _ in jobs)
    assert counts["train_run"] == counts["predict"] == counts["saliency"] == 3 * 4 * 5
    assert counts["make_volumes"] == counts["make_masks"] == counts["make_inputs"] == 16
    assert not {"phantom_tables", "phantom_images"} & set(counts)


def test_the_study_of_plugins_plans_a_run_for_every_member_and_seed(folder: Path) -> None:
    """Its inputs are placeholders, of fewer people than there are."""
    environment = make_plugin_inputs(folder / "plugin", oai_people=40, most_people=20, films=70)
    jobs = _plan(folder, _config("workflow/studies/plugin.yaml"), environment=environment)
    counts = Counter(rule for rule, _ in jobs)
    assert counts["train_run"] == counts["predict"] == counts["predict_parts"] == 4 * 3
    assert counts["ensemble"] == 3 * 3
    assert {wildcards["cohort"] for rule, wildcards in jobs if rule == "make_volumes"} == {"oai", "most"}
    assert {"external", "table external_accuracy", "table external_calibration", "contrasts"} <= rules(jobs)
    assert not {"make_masks", "make_inputs"} & set(counts)


@pytest.mark.slow
@pytest.mark.long
def test_the_study_of_plugins_is_planned_at_its_full_size(folder: Path) -> None:
    environment = make_plugin_inputs(folder / "plugin_at_size")
    jobs = _plan(folder, _config("workflow/studies/plugin.yaml"), environment=environment)
    assert Counter(rule for rule, _ in jobs)["train_run"] == 4 * 3


def test_a_missing_root_stops_before_any_job(folder: Path) -> None:
    run = snakemake(
        folder, "-n", "-s", str(ROOT / "Snakefile"), "--configfile", str(ROOT / "workflow/studies/coarse2fine.yaml"),
        environment={"OAI_ZIB": str(folder / "nowhere")},
    )  # fmt: skip
    assert run.returncode != 0
    assert "nowhere" in run.stdout + run.stderr


def test_a_wrong_key_stops_before_any_job_with_its_name(folder: Path) -> None:
    config = _config("config.yaml")
    config["training"]["epcohs"] = 3
    (folder / "wrong.yaml").write_text(yaml.safe_dump(config))
    run = snakemake(folder, "-n", "-s", str(ROOT / "Snakefile"), "--configfile", str(folder / "wrong.yaml"))
    assert run.returncode != 0
    assert "did you mean 'epochs'" in run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr


def _clinic(folder: Path, name: str, subjects: list[str], **changes: Any) -> dict[str, Any]:
    """A cohort of empty radiographs with grades, in a folder of its own."""
    root = folder / name
    root.mkdir(parents=True, exist_ok=True)
    for subject in subjects:
        (root / f"{subject}.png").touch()
    lines = ["id,side,kl,file", *(f"{subject},R,{number % 5},{subject}.png" for number, subject in enumerate(subjects))]
    (root / "t.csv").write_text("\n".join(lines) + "\n")
    manifest = {"table": "t.csv", "subject": "id", "side": "side", "path": "file"}
    return {"reader": "manifest", "root": str(root), "views": ["pa"], "labels": {"kl": "kl"}, "manifest": manifest} | changes


def _radiographs(cohorts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return _config("tests/small_radiographs.yaml") | {"cohorts": cohorts} | more


def _refused(folder: Path, text: str) -> str:
    (folder / "refused.yaml").write_text(text)
    run = snakemake(folder, "-n", "-s", str(ROOT / "Snakefile"), "--configfile", str(folder / "refused.yaml"))
    assert run.returncode != 0
    return run.stdout + run.stderr


def test_ids_in_two_cohorts_stop_the_study_at_its_start_until_it_says_whose_they_are(tmp_path: Path) -> None:
    cohorts = {
        "base": _clinic(tmp_path, "base", [f"P{number}" for number in range(6)]),
        "later": _clinic(tmp_path, "later", [f"P{number}" for number in range(4, 9)], role="external"),
    }
    words = _refused(tmp_path, yaml.safe_dump(_radiographs(cohorts)))
    assert "2 ids are both in cohort 'base' and in cohort 'later' (P4, P5)" in words
    assert "same_people: [base, later]" in words
    for key in ("same_people", "distinct_people"):
        jobs = _plan(tmp_path, _radiographs(cohorts, **{key: ["base", "later"]}))
        assert Counter(rule for rule, _ in jobs)["leave_out_trained"] == 2
    cohorts["later"] = _clinic(tmp_path, "others", ["Q1", "Q2"], role="external")
    assert "leave_out_trained" in rules(_plan(tmp_path, _radiographs(cohorts)))


def test_a_typo_in_a_column_of_labels_stops_the_study_at_its_start(tmp_path: Path) -> None:
    cohort = _clinic(tmp_path, "base", ["P1"], labels={"kl": "kgl"})
    assert "lacks the column 'kgl'; did you mean 'kl'?" in _refused(tmp_path, yaml.safe_dump(_radiographs({"base": cohort})))


def test_a_key_that_stands_twice_stops_the_study_at_its_start(tmp_path: Path) -> None:
    text = yaml.safe_dump(_config("tests/small_radiographs.yaml")) + "seeds: [2]\n"
    assert "the key 'seeds' stands on line" in _refused(tmp_path, text)
