"""What stages compare pictures by."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def edges(x: Tensor) -> tuple[Tensor, Tensor]:
    """Differences to the right and below of [..., h, w]."""
    return x[..., :, 1:] - x[..., :, :-1], x[..., 1:, :] - x[..., :-1, :]


def map_distance(made: list[Tensor], true: list[Tensor]) -> Tensor:
    """Distance of feature maps, each place made unit length, summed over maps: [n]."""
    total = made[0].new_zeros(made[0].shape[0], dtype=torch.float32)
    for a, b in zip(made, true, strict=True):
        a, b = F.normalize(a.float(), dim=1, eps=1e-3), F.normalize(b.float(), dim=1, eps=1e-3)
        total = total + (a - b).square().sum(1).mean((1, 2))
    return total
