"""The plug-in module in every kind of mode and loss: what is ranked and chosen, what the answer and
the embedding are, and that a batch's parts add up to it.
"""

from __future__ import annotations

import pytest
import torch

from kneeoa.backbones.interface import Features
from kneeoa.config.hierarchy import Level
from kneeoa.config.modes import Mode
from kneeoa.errors import KneeoaError
from kneeoa.heads import registry as modes
from kneeoa.heads.losses.registry import build as criterion
from kneeoa.network.dropout import use_keyed_dropout
from kneeoa.plugins.interface import Maps
from kneeoa.plugins.options.pim import Options
from kneeoa.plugins.pim import Pim
from kneeoa.plugins.selection import rank_locations, take_locations, unchosen

OA = Level(name="oa", kind="binary", classes=("no", "yes"))
KL = Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"), parent="oa", parent_class=(0, 0, 1, 1, 1))
FINDINGS = Level(name="findings", kind="multilabel", classes=("osteophyte", "narrowing", "sclerosis"))
LEVELS = (OA, KL, FINDINGS)
MAPS = Maps((6, 9), ((6, 5, 4), (3, 3, 2)))
SELECT = (40, 18)
LABELS = {
    "oa": torch.tensor([0, 1, 1, -1, 0, 1]),
    "kl": torch.tensor([0, 3, 2, -1, 1, 4]),
    "findings": torch.tensor([[1, 0, -1], [0, 1, 1], [-1, -1, -1], [0, 0, 0], [1, 1, -1], [0, 1, 0]]),
}
MODES = {
    "single kl": Mode(kind="single", levels=("kl",)),
    "single oa": Mode(kind="single", levels=("oa",)),
    "single findings": Mode(kind="single", levels=("findings",)),
    "dual": Mode(kind="dual", levels=("oa", "kl", "findings"), weights={"kl": 0.7}),
    "stacked": Mode(kind="dual_stacked", levels=("oa", "kl")),
    "corn": Mode(kind="dual", levels=("oa", "kl"), losses={"kl": "corn"}),
    "coral": Mode(kind="dual", levels=("oa", "kl"), losses={"kl": "coral"}),
    "stacked corn": Mode(kind="dual_stacked", levels=("oa", "kl"), losses={"kl": "corn"}),
}


def pim(mode: str, maps: Maps = MAPS, **options: object) -> Pim:
    torch.manual_seed(0)
    settings = Options.model_validate({"width": 8, "select": SELECT, **options})
    chosen = MODES[mode]
    chain = modes.chain(chosen.kind)
    assert chain in ("parallel", "stacked")
    return Pim(settings, modes.supervisions(chosen, LEVELS), maps, 3, chain)


def maps(batch: int = 6, dtype: torch.dtype = torch.float64, seed: int = 1) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    pairs = zip(MAPS.locations, MAPS.widths, strict=True)
    return [torch.randn(batch, locations, width, dtype=dtype, generator=generator) for locations, width in pairs]


def part(values, rows):
    return {name: each[rows] for name, each in values.items()}


@pytest.mark.parametrize("mode", MODES)
def test_the_answer_is_the_mean_of_the_parts_probabilities(mode):
    module = pim(mode).double().eval()
    embedding, outputs = module.read_maps(maps())
    _, parts = module.parts(maps())
    probabilities = module.probabilities(outputs)
    for name, level in module.levels.items():
        means = [*(each.mean(dim=1) for each in parts[name].locations), parts[name].combiner]
        logits = [module.criteria[name].class_logits(each) for each in means]
        expected = torch.stack([each.softmax(dim=1) if level.exclusive else each.sigmoid() for each in logits]).mean(dim=0)
        torch.testing.assert_close(probabilities[name], expected)
        if level.exclusive:
            torch.testing.assert_close(module.class_logits(outputs)[name], expected.log())
    assert embedding.shape == (6, 8 * len(module.selections))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_the_losses_of_parts_add_up_to_the_loss_of_the_batch(mode, weighted):
    module = pim(mode, weights={"levels": 0.5, "selected": 0.3, "dropped": 5, "combiner": 1}).double().eval()
    if weighted:
        module.balance(LABELS)
    _, outputs = module.read_maps(maps())
    whole = module.loss(outputs, LABELS)
    pieces = torch.arange(6).split([3, 2, 1])
    parts = [module.loss(part(outputs, rows), part(LABELS, rows), module.terms(LABELS)) for rows in pieces]
    for name, value in whole.items():
        torch.testing.assert_close(sum(each[name] for each in parts), value)


def test_each_level_is_weighted_as_its_heads_loss_is():
    module = pim("dual").double().eval()
    losses = module.loss(module.read_maps(maps())[1], LABELS)
    torch.testing.assert_close(losses["total"], losses["oa"] + 0.7 * losses["kl"] + losses["findings"])


def test_the_loss_is_the_weighted_sum_of_its_terms():
    module = pim("single kl", weights={"levels": 0.2, "selected": 0.3, "dropped": 4, "combiner": 2}).double().eval()
    _, outputs = module.read_maps(maps())
    terms = module.loss_terms(outputs, LABELS)["kl"]
    expected = 0.2 * terms["levels"] + 0.3 * terms["selected"] + 4 * terms["dropped"] + 2 * terms["combiner"]
    torch.testing.assert_close(module.loss(outputs, LABELS)["kl"], expected)
    published = Options.model_validate({}).weights
    assert (published.levels, published.selected, published.dropped, published.combiner) == (0.5, 0, 5, 1)


@pytest.mark.parametrize("loss", ["corn", "coral"])
def test_an_ordinal_loss_takes_the_place_of_every_cross_entropy(loss):
    module = pim(loss).double().eval()
    _, outputs = module.read_maps(maps())
    _, parts = module.parts(maps())
    terms, kl, ordinal = module.loss_terms(outputs, LABELS)["kl"], parts["kl"], criterion(loss, KL)
    torch.testing.assert_close(terms["combiner"], ordinal.loss(kl.combiner, LABELS["kl"]))
    torch.testing.assert_close(terms["levels"], sum(ordinal.loss(each.mean(dim=1), LABELS["kl"]) for each in kl.locations))
    chosen = [take_locations(each, ranks[:, :number]) for each, ranks, number in zip(kl.locations, kl.ranks, SELECT, strict=True)]
    expected = sum(ordinal.loss(each.flatten(0, 1), LABELS["kl"].repeat_interleave(each.shape[1])) for each in chosen)
    torch.testing.assert_close(terms["selected"], expected)
    labelled = LABELS["kl"] != -1
    dropped = [take_locations(kl.locations[0], kl.ranks[0][:, SELECT[0] :])[labelled]]  # the second map has none
    torch.testing.assert_close(terms["dropped"], sum((each.tanh() + 1).square().mean() for each in dropped))


def test_cases_without_a_label_add_nothing():
    module = pim("dual").double()
    read = [each.requires_grad_() for each in maps()]
    unread = {name: torch.full_like(labels, -1) for name, labels in LABELS.items()}
    module.eval()
    losses = module.loss(module.read_maps(read)[1], unread)
    assert all(float(value.detach()) == 0 for value in losses.values())
    losses["total"].backward()
    assert all(float(each.grad.abs().max()) == 0 for each in read)


def test_the_dropped_term_is_zero_where_all_locations_are_chosen():
    everything = Maps((6, 9), ((4, 4, 2), (3, 2)))
    module = pim("single kl", maps=everything, select=(32, 6)).double().eval()
    read = [torch.randn(2, locations, width, dtype=torch.float64) for locations, width in zip((32, 6), (6, 9), strict=True)]
    terms = module.loss_terms(module.read_maps(read)[1], {"kl": torch.tensor([1, 2])})["kl"]
    assert float(terms["dropped"].detach()) == 0
    assert all(torch.isfinite(value) for value in terms.values())


def test_a_coarse_level_of_a_stacked_mode_is_a_layer_on_the_finer_levels_logits_at_each_part():
    module = pim("stacked").double().eval()
    _, parts = module.parts(maps())
    layers = module.stacked["oa"].layers
    assert [tuple(layer.weight.shape) for layer in layers] == [(2, 5)] * 3
    torch.testing.assert_close(parts["oa"].combiner, layers[2](parts["kl"].combiner))
    for layer, coarse, fine in zip(layers, parts["oa"].locations, parts["kl"].locations, strict=False):
        torch.testing.assert_close(coarse, layer(fine))
    assert set(module.selections) == {"kl"}
    assert set(pim("dual").selections) == {"oa", "kl", "findings"}


def test_the_embedding_is_the_input_of_the_combiners_classifier_without_dropout():
    module = pim("dual").double().train()
    entered = {}
    for name, selection in module.selections.items():
        selection.classifier.register_forward_hook(lambda layer, given, result, name=name: entered.update({name: given[0]}))
    module.eval()
    embedding, _ = module.read_maps(maps())
    torch.testing.assert_close(embedding, torch.cat([entered[name] for name in ("oa", "kl", "findings")], dim=1))
    module.train()
    for layer in module.modules():
        if isinstance(layer, torch.nn.Dropout):
            layer.p = 0.9
    embedding, _ = module.read_maps(maps())
    dropped = torch.cat([entered[name] for name in ("oa", "kl", "findings")], dim=1)
    assert (dropped == 0).any()
    assert not (embedding == 0).any()


def test_dropout_of_the_combiner_is_a_cases_own():
    module = pim("single kl").train()
    keys = use_keyed_dropout(module)
    keys.values = torch.tensor([3, 4, 5, 6, 7, 8])
    _, one = module.read_maps(maps(dtype=torch.float32))
    _, same = module.read_maps(maps(dtype=torch.float32))
    assert torch.equal(one["kl"], same["kl"])
    keys.values = torch.tensor([13, 14, 15, 16, 17, 18])
    assert not torch.equal(one["kl"], module.read_maps(maps(dtype=torch.float32))[1]["kl"])


LINEAR = criterion("cross_entropy", KL)


def test_ranks_fall_and_ties_go_to_the_lower_location():
    logits = torch.zeros(2, 7, 5)
    logits[0, 4, 2], logits[0, 6, 0], logits[1, 3, 1] = 3.0, 3.0, -1.0
    assert rank_locations(LINEAR, logits).tolist() == [[4, 6, 0, 1, 2, 3, 5], [3, 0, 1, 2, 4, 5, 6]]


def test_many_ties_keep_the_order_of_the_locations():
    assert rank_locations(LINEAR, torch.zeros(3, 5000, 5)).tolist() == [list(range(5000))] * 3


def test_ranking_is_in_single_precision_under_autocast():
    close = torch.zeros(1, 64, 5)
    close[0, :, 0] = 1 + torch.arange(64) * 1e-5  # one number in bfloat16
    with torch.autocast("cpu", torch.bfloat16):
        ranks = rank_locations(LINEAR, close)
    assert ranks[0].tolist() == list(range(63, -1, -1))


@pytest.mark.parametrize("loss", ["corn", "coral"])
def test_ranks_of_ordinal_outputs_are_those_of_the_probabilities_that_they_give(loss):
    ordinal, outputs = criterion(loss, KL), torch.randn(2, 30, 4, dtype=torch.float64).sort(dim=2, descending=True).values
    scores = ordinal.class_logits(outputs.flatten(0, 1)).softmax(dim=1).amax(dim=1).reshape(2, 30)
    assert torch.equal(rank_locations(ordinal, outputs), scores.argsort(dim=1, descending=True))


def test_ranks_of_findings_are_those_of_the_largest_probability():
    outputs = torch.randn(2, 30, 3)
    assert torch.equal(rank_locations(criterion("bce", FINDINGS), outputs), outputs.amax(dim=2).argsort(dim=1, descending=True))


def test_a_single_logit_is_as_sure_of_no_as_of_yes():
    outputs = torch.tensor([[[0.5], [-3.0], [2.0], [0.0]]])
    assert rank_locations(criterion("bce", OA), outputs).tolist() == [[1, 2, 0, 3]]


def test_what_is_taken_and_what_is_left_are_all_locations():
    values, places = torch.randn(3, 10, 4), torch.tensor([[7, 1], [0, 9], [4, 5]])
    taken = take_locations(values, places)
    assert all(torch.equal(taken[image, rank], values[image, places[image, rank]]) for image in range(3) for rank in range(2))
    left = unchosen(10, places)
    assert [left[image].nonzero().flatten().tolist() for image in range(3)] == [
        [0, 2, 3, 4, 5, 6, 8, 9], [1, 2, 3, 4, 5, 6, 7, 8], [0, 1, 2, 3, 6, 7, 8, 9],
    ]  # fmt: skip


def test_gradients_reach_every_weight_and_the_maps():
    module = pim("dual").double().train()
    read = [each.requires_grad_() for each in maps()]
    module.loss(module.read_maps(read)[1], LABELS)["total"].backward()
    assert all(parameter.grad is not None for parameter in module.parameters())
    assert all(each.grad.abs().sum() > 0 for each in read)


def test_a_batch_of_one_case_trains():
    module = pim("single kl", maps=Maps((6,), ((32,),)), select=(32,)).train()  # one joint: nothing to normalise over
    _, outputs = module.read_maps([torch.randn(1, 32, 6)])
    assert torch.isfinite(module.loss(outputs, {"kl": torch.tensor([2])})["total"])


def test_maps_of_another_image_size_are_refused_with_the_sizes():
    module = pim("single kl")
    given = [torch.zeros(1, 6, 6, 5, 4), torch.zeros(1, 9, 3, 3, 3)]
    with pytest.raises(KneeoaError, match="built for maps of 6x5x4, 3x3x2, but the image's are of 6x5x4, 3x3x3"):
        module.read(Features(given, torch.zeros(1, 4)), torch.nn.Dropout(0.5))


@pytest.mark.parametrize(
    ("select", "message"),
    [
        ((40, 19), r"takes 19 locations of map 2, which has 18; the maps have \[120, 18\] \(6 x 5 x 4, 3 x 3 x 2\)"),
        ((121, 1), "takes 121 locations of map 1, which has 120"),
        ((16, 15), r"takes 31 locations in all \(\[16, 15\]\); the combiner needs 32 at least"),
        ((40, 9, 9), r"has 3 numbers \(\[40, 9, 9\]\), but the backbone gives 2 maps"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_numbers(select, message):
    with pytest.raises(ValueError, match=message):
        pim("single kl", select=select)


def test_one_number_is_for_every_map_and_the_width_depends_on_the_axes():
    options = Options.model_validate({})
    assert options.selected(5) == (32,) * 5
    assert (options.width_of(2), options.width_of(3)) == (512, 128)
    assert Options.model_validate({"width": 64}).width_of(3) == 64


def test_joints_are_a_32nd_of_the_chosen_locations_rounded_down():
    assert pim("single kl", select=(63, 1)).selections["kl"].combiner.gather.out_features == 2
    assert pim("single kl", select=(62, 1)).selections["kl"].combiner.gather.out_features == 1
