"""Conventions that every rule and script keeps to, read off the workflow itself."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULE_FILES = [ROOT / "Snakefile", *sorted((ROOT / "workflow" / "rules").glob("*.smk"))]
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))


def _rules() -> dict[str, str]:
    """Rule name -> its text."""
    rules = {}
    for path in RULE_FILES:
        for block in re.split(r"^(?=rule \w+:)", path.read_text(), flags=re.M)[1:]:
            name = re.match(r"rule (\w+):", block)
            assert name
            body = re.split(r"\n(?=\S)", block, maxsplit=1)[0]
            rules[name[1]] = body
    return rules


PRODUCERS = {name: text for name, text in _rules().items() if re.search(r"^    output:", text, re.M)}


def test_there_are_rules_for_every_stage() -> None:
    stages = {"phantom_tables", "phantom_images", "read_cohort", "make_volumes", "make_masks", "make_splits", "train_run", "predict"}
    assert stages | {"saliency", "metrics", "contrasts", "geometry", "overlap", "anatomy", "report"} <= set(PRODUCERS)


@pytest.mark.parametrize("name", PRODUCERS)
def test_a_rule_is_named_as_its_script_and_log_and_carries_its_code_digest(name: str) -> None:
    text = PRODUCERS[name]
    assert f'"../../scripts/{name}.py"' in text
    assert re.search(rf'code=(lambda wildcards: )?code\(\s*"{name}"', text)
    assert f'"<logs>/{name}' in text
    assert re.search(r'conda:\n\s+"\.\./\.\./envs/(train|analysis)\.yaml"', text)
    assert not re.search(r"^    (shell|run):", text, re.M), "the text of shell and run blocks is not watched without the `code` trigger"


@pytest.mark.parametrize("name", PRODUCERS)
def test_a_rule_takes_its_threads_memory_and_time_from_the_configuration(name: str) -> None:
    text = PRODUCERS[name]
    assert re.search(r"threads: STUDY\.resources\.\w+\.threads", text)
    assert re.search(r'mem_mb=memory\("\w+"\)', text)
    assert re.search(r'runtime=minutes\("\w+"\)', text)


def test_no_rule_takes_the_whole_configuration() -> None:
    for path in RULE_FILES:
        for line in path.read_text().splitlines():
            checked = "config.items()" in line or "digest(plain(STUDY))" in line  # where it is validated; what the report prints
            assert checked or not re.search(r"\bconfig\[|=\s*config\b|plain\(STUDY\)", line), f"{path.name}: {line}"


def test_every_script_belongs_to_a_rule_and_the_other_way_round() -> None:
    used = {match for text in PRODUCERS.values() for match in re.findall(r'"\.\./\.\./scripts/(\w+)\.py"', text)}
    assert {path.stem for path in SCRIPTS} == used


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_is_thin(path: Path) -> None:
    text = path.read_text()
    assert "snakemake.config" not in text
    assert len(text.splitlines()) <= 60
    assert not [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.For | ast.While | ast.ClassDef)]


def test_the_library_knows_nothing_of_snakemake() -> None:
    for path in (ROOT / "workflow" / "lib").rglob("*.py"):
        tree = ast.parse(path.read_text())
        modules = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        modules += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        assert not [name for name in modules if name.split(".")[0] == "snakemake"], path
        assert not re.search(r"\bpickle\b(?!d)|torch\.load\((?!.*weights_only=True)|allow_pickle=True", path.read_text()), path


@pytest.mark.parametrize("path", [p for p in RULE_FILES if p.name != "Snakefile"], ids=lambda path: path.stem)
def test_a_rule_file_opens_with_what_comes_in_and_what_goes_out(path: Path) -> None:
    text = path.read_text()
    assert text.startswith('"""\n')
    if path.name not in {"targets.smk"}:
        assert "REQUIRED INPUTS:" in text.split('"""')[1]
        assert "OUTPUTS:" in text.split('"""')[1]
