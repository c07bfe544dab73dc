"""The noise schedule (squaredcos_cap_v2), targets, weights and a DDIM sampler with two dials."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

Guided = Callable[[Tensor, Tensor], Tensor]


class CosineSchedule:
    """``alphas`` [1000] float32: the cumulative products of 1 - beta."""

    def __init__(self, count: int = 1000, device: torch.device | str = "cpu") -> None:
        def level(u: float) -> float:
            return math.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2

        betas = [min(1 - level((i + 1) / count) / level(i / count), 0.999) for i in range(count)]
        self.count = count
        self.alphas = torch.tensor(np.cumprod(1 - np.array(betas)), dtype=torch.float32, device=device)

    def parts(self, timestep: Tensor, dims: int) -> tuple[Tensor, Tensor]:
        """sqrt(alpha) and sqrt(1 - alpha) of ``timestep`` [b], shaped to multiply a tensor of ``dims`` dimensions."""
        a = self.alphas[timestep].reshape(-1, *[1] * (dims - 1))
        return a.sqrt(), (1 - a).sqrt()

    def trailing(self, steps: int) -> list[int]:
        """Timesteps with trailing spacing, largest first (as diffusers)."""
        return [int(round(self.count - k * self.count / steps)) - 1 for k in range(steps)]

    def ddim_step(self, x: Tensor, clean: Tensor, timestep: int, following: int, noise: Tensor | None = None) -> Tensor:
        """One step of DDIM (eta 0) given the predicted clean sample; ``following`` -1 ends the run.

        ``noise`` is the predicted noise where the clean sample was clipped (diffusers keeps the unclipped one).
        """
        a = self.alphas[timestep]
        b = self.alphas[following] if following >= 0 else torch.ones((), device=x.device)
        if noise is None:
            noise = (x - a.sqrt() * clean) / (1 - a).sqrt()
        return b.sqrt() * clean + (1 - b).sqrt() * noise

    def min_snr_weight(self, timestep: Tensor, gamma: float = 5.0, floor: float = 0.2) -> Tensor:
        """Weight of a v loss [b]: min(snr, gamma) / (snr + 1) (arXiv 2303.09556), floored."""
        a = self.alphas[timestep]
        snr = a / (1 - a)
        return (snr.clamp(max=gamma) / (snr + 1)).clamp(min=floor)


def sample_ddim(schedule: CosineSchedule, guided_v: Guided, noise: Tensor, steps: int = 20) -> Tensor:
    """DDIM over a guided v prediction; the predicted sample is clipped to -1..1. Returns [b, 3, h, w]."""
    x, times = noise, schedule.trailing(steps)
    for k, i in enumerate(times):
        timestep = torch.full((x.shape[0],), i, device=x.device)
        a, s = schedule.parts(timestep, x.dim())
        v = guided_v(x, timestep)
        x = schedule.ddim_step(x, (a * x - s * v).clamp(-1, 1), i, times[k + 1] if k + 1 < len(times) else -1, s * x + a * v)
    return x
