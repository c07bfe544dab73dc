"""Diffusion prior: text embedding -> image embedding, predicting the clean embedding."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.nets.unet import EMBEDDING_SCALE, time_features

SENTENCE_SCALE = 20.0
FAR_BELOW, FAR_SLOPE = 0.78, 25.0
"""Cosine to the nearest remembered picture below which a guess counts as far from all, and how sharply."""
NEAR_SHARPNESS, PULL = 30.0, 0.8
"""How sharply the nearest pictures are chosen, and how far a guess that is far from all moves to them, 0..1."""


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
    """Noisy image embedding x 16 [b, 256] -> clean image embedding x 16.

    With ``bank`` it remembers so many embeddings of real pictures. A guess that is far from all of them (words outside
    the world) is drawn towards the nearest: the decoder has never seen anything like it and would answer with noise.
    Guesses near a real picture stay as they are.
    """

    def __init__(self, embedding: int = 256, sentence: int = 384, width: int = 512, depth: int = 4, bank: int = 0) -> None:
        super().__init__()
        self.input = nn.Linear(embedding, width)
        self.time = nn.Sequential(nn.Linear(64, width), nn.SiLU(), nn.Linear(width, width))
        self.text = nn.Linear(embedding, width)
        self.sentence = nn.Linear(sentence, width)
        self.blocks = nn.ModuleList([PriorBlock(width) for _ in range(depth)])
        self.output = nn.Linear(width, embedding)
        if bank:
            self.bank = nn.Parameter(torch.zeros(bank, embedding), requires_grad=False)

    def forward(self, x: Tensor, timestep: Tensor, text: Tensor, sentence: Tensor) -> Tensor:
        """``text`` and ``sentence`` are unit length, zeros for the unconditional pass."""
        t = (timestep.float() + 1) / 1000.0
        condition = F.silu(self.time(time_features(t, 32)) + self.text(text * EMBEDDING_SCALE)
                           + self.sentence(sentence * SENTENCE_SCALE))
        h = self.input(x)
        for block in self.blocks:
            h = block(h, condition)
        return self.stay(self.output(h)) if hasattr(self, "bank") else self.output(h)

    def stay(self, clean: Tensor) -> Tensor:
        """Draws guesses x 16 that are far from every remembered picture towards the nearest ones."""
        # not normalised @ bank.T, of which an exported file would hold a second copy of the bank, turned
        likeness = (self.bank @ F.normalize(clean, dim=1).T).T
        near = torch.softmax(NEAR_SHARPNESS * likeness, 1) @ self.bank * EMBEDDING_SCALE
        far = torch.sigmoid((FAR_BELOW - likeness.amax(1, keepdim=True)) * FAR_SLOPE)
        return clean + PULL * far * (near - clean)


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
