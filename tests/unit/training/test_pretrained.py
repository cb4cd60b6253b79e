"""Training that begins from a file of weights: they are where the run begins, they are recorded,
and their bytes decide about resuming.
"""

import json

import pytest
import torch
from safetensors.torch import save_file

from kneeoa.inference.untrained import embed_untrained
from kneeoa.network.model import build
from kneeoa.tables.runs import embeddings
from kneeoa.training import checkpoint
from kneeoa.training.run import load_pretrained, train
from tests.unit.training import tiny_study
from tests.unit.training.tiny_study import DUAL, TRAINING, job


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return tiny_study.make(tmp_path_factory.mktemp("study"))


def spec_from(weights):
    plain = tiny_study.spec(DUAL)
    return plain.model_copy(update={"options": {**plain.options, "weights": str(weights)}})


def written(path, seed):
    torch.manual_seed(seed)
    network = build(tiny_study.spec(DUAL))
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, path)
    return network


def test_a_backbone_begins_from_the_file_and_the_heads_from_the_seed(tmp_path, monkeypatch):
    source = written(tmp_path / "weights.safetensors", seed=9)
    monkeypatch.setenv("KNEEOA_TEST_WEIGHTS", str(tmp_path))
    spec = spec_from("$KNEEOA_TEST_WEIGHTS/weights.safetensors")
    torch.manual_seed(1)
    network = build(spec)
    heads = {name: tensor.clone() for name, tensor in network.heads.state_dict().items()}
    report = load_pretrained(network.backbone, spec)
    assert report is not None
    assert report["file"] == "weights.safetensors"
    assert all(name.startswith("heads.") for name in report["left_out"])
    assert all(torch.equal(a, b) for a, b in zip(source.backbone.parameters(), network.backbone.parameters(), strict=True))
    assert all(torch.equal(tensor, heads[name]) for name, tensor in network.heads.state_dict().items())
    assert load_pretrained(network.backbone, tiny_study.spec(DUAL)) is None


def test_the_bytes_of_the_file_enter_the_fingerprint_and_the_record(files, tmp_path, monkeypatch):
    prints = []
    resume = checkpoint.resume
    monkeypatch.setattr(checkpoint, "resume", lambda out, fingerprint, *rest: prints.append(fingerprint) or resume(out, fingerprint, *rest))
    weights = tmp_path / "weights.safetensors"
    arguments = {"spec": spec_from(weights), "training": TRAINING.model_copy(update={"epochs": 1})}
    for name, seed in (("one", 9), ("same", 9), ("other", 10)):
        written(weights, seed)
        train(**job(files, tmp_path / name, **arguments))
    assert prints[0] == prints[1]
    assert prints[0] != prints[2]
    one, same, other = (
        json.loads((tmp_path / name / "run.json").read_text())["provenance"]["pretrained"] for name in ("one", "same", "other")
    )
    assert one == same
    assert one["sha256"] != other["sha256"]
    assert (tmp_path / "one" / "weights.safetensors").read_bytes() != (tmp_path / "other" / "weights.safetensors").read_bytes()


def test_an_untrained_network_has_not_seen_the_file(files, tmp_path):
    common = {"study": "tiny", "name": "a", "seed": 1, "arrays": files.arrays, "indices": files.indices, "splits": files.splits}
    for name, spec in (("with", spec_from(tmp_path / "nowhere.pth")), ("without", tiny_study.spec(DUAL))):
        embed_untrained(**common, spec=spec, batch=8, threads=1, out=tmp_path / f"{name}.parquet")
    width = build(tiny_study.spec(DUAL)).backbone.embedding_width
    one, other = (embeddings(width).read(tmp_path / f"{name}.parquet")["embedding"].to_list() for name in ("with", "without"))
    assert all((a == b).all() for a, b in zip(one, other, strict=True))
