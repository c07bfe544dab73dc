"""What stages compare pictures by."""

from __future__ import annotations

from torch import Tensor


def edges(x: Tensor) -> tuple[Tensor, Tensor]:
    """Differences to the right and below of [..., h, w]."""
    return x[..., :, 1:] - x[..., :, :-1], x[..., 1:, :] - x[..., :-1, :]
