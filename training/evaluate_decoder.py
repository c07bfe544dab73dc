"""Compares decoders without sampling: errors of the predicted v on held-out scenes, the same scenes, times and noise.

    python -m training.evaluate_decoder --pack PACK --runs training/runs/decoder [--batches 6]
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import torch

from training.common.checkpoint import load_half
from training.common.errors import TrainingError
from training.common.machine import start
from training.common.pack_weights import load_network, load_projector
from training.decoder import DecoderStage, DecoderTraining, load_encoder, pack_has_sketch
from training.evaluate_world import table
from training.nets.sketch import CHANNELS
from training.nets.unet import DecoderConfig
from training.world.sprites import SpriteAtlas

HELD_OUT_SEED = 987_654


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True, help="its decoder is the first row; its image tower is used")
    parser.add_argument("--runs", type=Path, nargs="*", default=[])
    parser.add_argument("--world", type=Path, default=Path("training/runs/world"))
    parser.add_argument("--batches", type=int, default=6)
    args = parser.parse_args()
    machine = start("cpu", "fp32")
    plain = replace(DecoderTraining(), seed=HELD_OUT_SEED, drop_scene=0.0, drop_st=0.0, scene_mix=0.0, segment_noise=0.0,
                    scene_noise=0.0)
    net = DecoderConfig(sketch=CHANNELS if pack_has_sketch(args.pack) else 0)
    stage = DecoderStage(replace(plain, net=net), SpriteAtlas.load(args.world, ("fluent-emoji-flat",)), load_encoder(args.pack, None), machine.device)
    load_network(args.pack, "unet", stage.module.unet)
    load_projector(args.pack, stage.module.projector)
    if net.sketch:
        load_network(args.pack, "sketch", stage.sketch)
    states = {args.pack.name: {n: t.clone() for n, t in stage.module.state_dict().items()}}
    for run in args.runs:
        if bool(json.loads((run / "run.json").read_text("utf-8"))["config"]["net"]["sketch"]) != bool(net.sketch):
            raise TrainingError(f"{run} and {args.pack} do not compare: one has a sketch, the other none", "give a pack of its kind")
        states[str(run)] = load_half(run, "weights")
    results = {}
    for name, state in states.items():
        stage.module.load_state_dict(state)
        sums: dict[str, float] = {}
        for i in range(args.batches):
            torch.manual_seed(i)
            loss, figures = stage.loss(i, machine, 32)
            for key, value in (figures | {"loss": float(loss)}).items():
                sums[key] = sums.get(key, 0.0) + value / args.batches
        results[name] = {k: round(v, 4) for k, v in sums.items()} | {"scenes": 32 * args.batches}
    print(table(results))


if __name__ == "__main__":
    main()
