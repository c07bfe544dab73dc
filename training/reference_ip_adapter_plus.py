"""Records what diffusers computes with the image projection of an "IP-Adapter plus" in its published layout.

Writes test/fixtures/ip-adapter-plus/: projection.safetensors (random float16 weights under the published names,
narrow) and expected.json with the input's formula and the tokens. Run: python training/reference_ip_adapter_plus.py
Needs diffusers 0.42.1, torch, safetensors.
"""

import json
from pathlib import Path

import torch
from diffusers.loaders.unet import UNet2DConditionLoadersMixin
from safetensors.torch import save_file

OUT = Path(__file__).resolve().parent.parent / "test" / "fixtures" / "ip-adapter-plus"
FROM, INNER, WIDTH, TOKENS, LAYERS, PLACES, IMAGES = 20, 32, 8, 4, 4, 17, 2
HEADS, HEAD_WIDTH = 1, 64


def weights():
    generator = torch.Generator().manual_seed(0)

    def random(*shape):
        return (0.3 * torch.randn(*shape, generator=generator)).half().float()

    state = {
        "latents": random(1, TOKENS, INNER),
        "proj_in.weight": random(INNER, FROM),
        "proj_in.bias": random(INNER),
        "proj_out.weight": random(WIDTH, INNER),
        "proj_out.bias": random(WIDTH),
        "norm_out.weight": 1 + random(WIDTH),
        "norm_out.bias": random(WIDTH),
    }
    for i in range(LAYERS):
        for norm in ("0.norm1", "0.norm2", "1.0"):
            state[f"layers.{i}.{norm}.weight"] = (1 + random(INNER)).half().float()
            state[f"layers.{i}.{norm}.bias"] = random(INNER)
        state[f"layers.{i}.0.to_q.weight"] = random(HEADS * HEAD_WIDTH, INNER)
        state[f"layers.{i}.0.to_kv.weight"] = random(2 * HEADS * HEAD_WIDTH, INNER)
        state[f"layers.{i}.0.to_out.weight"] = random(INNER, HEADS * HEAD_WIDTH)
        state[f"layers.{i}.1.1.weight"] = random(4 * INNER, INNER)
        state[f"layers.{i}.1.3.weight"] = random(INNER, 4 * INNER)
    state["norm_out.weight"] = state["norm_out.weight"].half().float()
    return state


def main():
    state = weights()
    class Loader(UNet2DConditionLoadersMixin):
        device, dtype = torch.device("cpu"), torch.float32

    module = Loader()._convert_ip_adapter_image_proj_to_diffusers(
        dict(state), low_cpu_mem_usage=False
    )
    module.eval()
    count = IMAGES * PLACES * FROM
    k = torch.arange(count, dtype=torch.float64)
    states = (torch.sin(0.73 * k + 0.2) + 0.6 * torch.cos(0.019 * k)).float().reshape(IMAGES, PLACES, FROM)
    with torch.no_grad():
        tokens = module(states)
    OUT.mkdir(parents=True, exist_ok=True)
    save_file({f"image_proj.{name}": value.half().contiguous() for name, value in state.items()}, OUT / "projection.safetensors")
    document = {
        "schema": "ip-adapter-plus-golden/1",
        "states": {"shape": list(states.shape), "formula": "sin(0.73 k + 0.2) + 0.6 cos(0.019 k)"},
        "tokens": {"shape": list(tokens.shape), "values": [float(f"{v:.8g}") for v in tokens.flatten().tolist()]},
    }
    (OUT / "expected.json").write_text(json.dumps(document) + "\n")
    print(tokens.shape, float(tokens.abs().max()))


if __name__ == "__main__":
    main()
