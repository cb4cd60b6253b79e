from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kneeoa.config.analysis import Saliency
from kneeoa.saliency.methods.interface import Target
from kneeoa.saliency.methods.smoothgrad_input import explain as smoothgrad_input


class Toy(nn.Module):
    """A score of the image's voxels, in the clothes of a network."""

    def __init__(self, score: Any) -> None:
        super().__init__()
        self.score = score

    def forward(self, image: Tensor) -> Tensor:
        return image

    def target_score(self, output: Tensor, level: str, head: str) -> Tensor:
        assert (level, head) == ("oa", "kl")
        return self.score(output)


def explain(score: Any, images: Tensor, seeds: list[int], **options: Any) -> Tensor:
    settings = Saliency(**({"samples": 4, "noise": 0.1} | options))
    generators = [np.random.default_rng(seed) for seed in seeds]
    return smoothgrad_input(Target(Toy(score), "oa", "kl"), images, generators, settings)  # type: ignore[arg-type]


IMAGES = torch.from_numpy(np.random.default_rng(0).normal(size=(3, 1, 4, 5, 6)).astype(np.float32))
WEIGHTS = torch.from_numpy(np.random.default_rng(1).normal(size=(1, 4, 5, 6)).astype(np.float32))


def test_a_linear_network_gives_weights_times_input_at_any_noise() -> None:
    for noise in (1e-6, 0.5):
        maps = explain(lambda x: (x * WEIGHTS).flatten(1).sum(dim=1), IMAGES, [1, 2, 3], noise=noise)
        torch.testing.assert_close(maps, (IMAGES * WEIGHTS)[:, 0], rtol=1e-4, atol=1e-6)


def test_a_curved_network_gives_gradient_times_input_as_the_noise_vanishes() -> None:
    maps = explain(lambda x: (x**3).flatten(1).sum(dim=1), IMAGES, [1, 2, 3], noise=1e-5)
    torch.testing.assert_close(maps, 3 * IMAGES[:, 0] ** 3, rtol=1e-3, atol=1e-4)


def test_the_noise_is_a_share_of_each_images_range() -> None:
    """For the score sum x^2 / 2 the gradient is the noisy image, so map / image - image is the mean
    of the noise.
    """
    images = torch.stack([torch.linspace(0.5, 1, 20000), torch.linspace(10, 110, 20000)]).reshape(2, 1, 20, 1000)
    maps = explain(lambda x: (x**2 / 2).flatten(1).sum(dim=1), images, [1, 2], samples=4, noise=0.2)
    noise = (maps / images[:, 0] - images[:, 0]).flatten(1).std(dim=1)
    torch.testing.assert_close(noise, torch.tensor([0.2 * 0.5, 0.2 * 100]) / 2, rtol=0.05, atol=0)


def test_a_cases_noise_does_not_depend_on_its_batch() -> None:
    def curved(x: Tensor) -> Tensor:
        return (x**3).flatten(1).sum(dim=1)

    together = explain(curved, IMAGES, [1, 2, 3])
    for case, seed in enumerate((1, 2, 3)):
        alone = explain(curved, IMAGES[case : case + 1], [seed])
        torch.testing.assert_close(alone[0], together[case], rtol=0, atol=0)
    other = explain(curved, IMAGES[:1], [7])
    assert not torch.equal(other[0], together[0])
