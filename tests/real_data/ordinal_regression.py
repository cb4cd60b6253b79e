"""Proportional-odds regression with a ridge penalty (McCullagh 1980): the plainest head on frozen
features.
"""

import numpy as np
import torch
from torch.nn import functional

PENALTIES = tuple(10.0 ** (power / 2) for power in range(-4, 5))


def fitted(features: np.ndarray, grades: np.ndarray, classes: int, penalty: float, test: np.ndarray) -> np.ndarray:
    """Class probabilities ``[cases, classes]`` of ``test`` features, fitted on ``features`` ``[n,
    width]`` and ``grades`` ``[n]``.

    P(grade >= k) is the logistic function of the features' weighted sum less the k-th threshold;
    thresholds rise. The penalty is half the squared norm of the weights times ``penalty`` over n.
    """
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-8
    here, there = (torch.from_numpy((each - mean) / spread / features.shape[1] ** 0.5) for each in (features, test))
    truth = torch.from_numpy(grades)
    weights = torch.zeros(features.shape[1], dtype=torch.float64, requires_grad=True)
    first = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    steps = torch.zeros(classes - 2, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, first, steps], max_iter=500, tolerance_grad=1e-7, line_search_fn="strong_wolfe")

    def chances(x: torch.Tensor) -> torch.Tensor:
        thresholds = torch.cat([first, first + functional.softplus(steps).cumsum(0)])
        above = torch.sigmoid((x @ weights)[:, None] - thresholds)
        ends = torch.ones(len(x), 1, dtype=above.dtype)
        return torch.cat([ends, above], dim=1) - torch.cat([above, 0 * ends], dim=1)

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        likelihood = chances(here).gather(1, truth[:, None]).clamp(min=1e-12).log().mean()
        value = -likelihood + penalty * weights.square().sum() / (2 * len(truth))
        value.backward()
        return value

    optimiser.step(loss)
    with torch.no_grad():
        return chances(there).numpy()


def chosen(features: np.ndarray, grades: np.ndarray, train: np.ndarray, val: np.ndarray, classes: int) -> tuple[np.ndarray, float]:
    """Class probabilities of all cases and the penalty, fitted on the cases ``train`` with the
    penalty of least log loss on ``val``.
    """
    chances = {penalty: fitted(features[train], grades[train], classes, penalty, features) for penalty in PENALTIES}
    losses = {penalty: -np.log(np.maximum(each[val, grades[val]], 1e-12)).mean() for penalty, each in chances.items()}
    best = min(losses, key=losses.__getitem__)
    return chances[best], best
