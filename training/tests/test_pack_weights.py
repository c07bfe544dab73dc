"""Weights read back out of a shipped pack reproduce its recorded tensors."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from training.common.pack_weights import load_network, load_projector
from training.diffusion import CosineSchedule, sample_ddim
from training.nets.clip import ImageEncoder, TextHead
from training.nets.prior import Prior, sample_prior
from training.nets.superres import SuperResolution
from training.nets.unet import Decoder, DecoderConfig, STProjector

ROOT = Path(__file__).parents[2]


def find_pack() -> tuple[Path, Path] | None:
    """(pack, its reference tensors): SPATEXT_PACK with its own, or the shipped pack that the fixtures belong to."""
    given = os.environ.get("SPATEXT_PACK")
    if given:
        return Path(given), Path(given) / "reference"
    fixtures = ROOT / "test" / "fixtures" / "pack-reference"
    if not (fixtures / "reference.json").is_file():
        return None
    recorded = json.loads((fixtures / "reference.json").read_text("utf-8"))
    for file in sorted((ROOT / "models").glob("*/pack.json")):
        described = json.loads(file.read_text("utf-8"))
        if described["id"] == recorded.get("pack", "spatext-emoji-v0"):
            return file.parent, fixtures
    return None


FOUND = find_pack()
PACK, REFERENCE = FOUND if FOUND else (None, None)

pytestmark = pytest.mark.skipif(PACK is None, reason="no pack with reference tensors: set SPATEXT_PACK")


def reference(name: str) -> torch.Tensor:
    assert REFERENCE is not None
    return torch.from_numpy(np.load(REFERENCE / f"{name}.npy"))


def st_of_reference(projector: STProjector) -> list[torch.Tensor]:
    labels, runs = reference("labels"), reference("prior_run")
    embeds = torch.stack([runs[0], runs[1], runs[3]])[None]
    masks = torch.stack([(labels == k).float() for k in (1, 2, 3)])[None]
    return projector.from_segments(embeds, masks)


@torch.no_grad()
def test_text_head_and_image_encoder() -> None:
    head, images = TextHead().eval(), ImageEncoder().eval()
    load_network(PACK, "text_encoder", head)
    load_network(PACK, "image_encoder", images)
    assert (head(reference("sentence_embeds")) - reference("text_embeds")).abs().max() < 1e-5
    pixels = reference("pictures").permute(0, 3, 1, 2).float() / 127.5 - 1
    assert (images(pixels) - reference("image_embeds")).abs().max() < 1e-5


@torch.no_grad()
def test_prior_call_and_run() -> None:
    prior = Prior().eval()
    load_network(PACK, "prior", prior)
    args = (reference("text_embeds"), reference("sentence_embeds"))
    call = prior(reference("prior_noise"), reference("prior_timestep"), *args)
    assert (call - reference("prior_call")).abs().max() < 2e-5
    run = sample_prior(prior, CosineSchedule(), *args, reference("prior_noise"))
    assert (run - reference("prior_run")).abs().max() < 1e-5


@torch.no_grad()
def test_decoder_call_and_guided_run() -> None:
    decoder, projector = Decoder().eval(), STProjector(DecoderConfig()).eval()
    load_network(PACK, "unet", decoder)
    load_projector(PACK, projector)
    st = st_of_reference(projector)
    for made, size in zip(st, (64, 32, 16, 8), strict=True):
        assert (made - reference(f"st_{size}")).abs().max() < 1e-5
    scene = reference("prior_run")[11:12]
    v = decoder(reference("noise"), torch.tensor([599]), scene, st)
    assert (v - reference("unet_call")).abs().max() < 1e-5
    zeros = [torch.zeros_like(s) for s in st]

    def guided(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        none = decoder(x, t, scene * 0, zeros)
        return none + 1.5 * (decoder(x, t, scene, zeros) - none) + 3 * (decoder(x, t, scene * 0, st) - none)

    run = sample_ddim(CosineSchedule(), guided, reference("noise"))
    assert (run - reference("run_ddim_multi")).abs().max() < 2e-5


@torch.no_grad()
def test_super_resolution() -> None:
    network = SuperResolution().eval()
    load_network(PACK, "super_resolution", network)
    made = network(reference("run_ddim_multi").clamp(-1, 1))
    assert (made - reference("super_resolution")).abs().max() < 1e-5


def test_reference_says_what_it_is() -> None:
    assert REFERENCE is not None and json.loads((REFERENCE / "reference.json").read_text())["files"]
