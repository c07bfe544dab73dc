"""Diffusion prior: text embedding -> image embedding, predicting the clean embedding."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.nets.unet import EMBEDDING_SCALE, time_features

SENTENCE_SCALE = 20.0


class PriorBlock(nn.Module):
    """Layer norm moved by the condition, a two-layer network, gated and added."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulate = nn.Linear(width, 3 * width)
        self.widen = nn.Linear(width, 2 * width)
        self.narrow = nn.Linear(2 * width, width)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        shift, scale, gate = self.modulate(condition).chunk(3, 1)
        return x + gate * self.narrow(F.silu(self.widen(self.norm(x) * (1 + scale) + shift)))


class Prior(nn.Module):
    """Noisy image embedding x 16 [b, 256] -> clean image embedding x 16."""

    def __init__(self, embedding: int = 256, sentence: int = 384, width: int = 512, depth: int = 4) -> None:
        super().__init__()
        self.input = nn.Linear(embedding, width)
        self.time = nn.Sequential(nn.Linear(64, width), nn.SiLU(), nn.Linear(width, width))
        self.text = nn.Linear(embedding, width)
        self.sentence = nn.Linear(sentence, width)
        self.blocks = nn.ModuleList([PriorBlock(width) for _ in range(depth)])
        self.output = nn.Linear(width, embedding)

    def forward(self, x: Tensor, timestep: Tensor, text: Tensor, sentence: Tensor) -> Tensor:
        """``text`` and ``sentence`` are unit length, zeros for the unconditional pass."""
        t = (timestep.float() + 1) / 1000.0
        condition = F.silu(self.time(time_features(t, 32)) + self.text(text * EMBEDDING_SCALE)
                           + self.sentence(sentence * SENTENCE_SCALE))
        h = self.input(x)
        for block in self.blocks:
            h = block(h, condition)
        return self.output(h)


@torch.no_grad()
def sample_prior(prior: Prior, schedule, text: Tensor, sentence: Tensor, noise: Tensor,
                 steps: int = 20, guidance: float = 1.0) -> Tensor:
    """DDIM, trailing timesteps; unit-length image embeddings [b, 256]."""
    x = noise
    times = schedule.trailing(steps)
    for k, i in enumerate(times):
        timestep = torch.full((x.shape[0],), i, device=x.device)
        clean = prior(x, timestep, text, sentence)
        if guidance != 1.0:
            free = prior(x, timestep, torch.zeros_like(text), torch.zeros_like(sentence))
            clean = free + guidance * (clean - free)
        x = schedule.ddim_step(x, clean, i, times[k + 1] if k + 1 < len(times) else -1)
    return F.normalize(x, dim=1)
