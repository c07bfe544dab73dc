"""Exports judge and segmenter as a scorer folder for ``spatext evaluate --judge``.

    python -m training.export_scorer --judge training/runs/judge --segmenter training/runs/segmenter --base PACK --out training/runs/scorer

MiniLM and the tokenizer inside come from PACK; the head, image tower and segmenter trained nothing but scores.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training.common.checkpoint import load_half
from training.export import batch_axes, write_onnx
from training.judge import load_judge
from training.nets.judge import JudgeEncoder
from training.nets.segmenter import Segmenter
from training.pack_description import sha256
from training.world.vocabulary import concepts


class JudgeGraph(nn.Module):
    """Embedding and the features before it."""

    def __init__(self, encoder: JudgeEncoder) -> None:
        super().__init__()
        self.m = encoder

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        features = self.m.features(pixels)
        return torch.nn.functional.normalize(self.m.project(features), dim=1), features


def write_text_encoder(base: Path, head: nn.Module, out: Path) -> None:
    """The base pack's MiniLM with the judge's head, which may have another width."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(base / "text_encoder.onnx"))
    values = {k: v.numpy() for k, v in head.state_dict().items()}
    for tensor in model.graph.initializer:
        plain = tensor.name.removesuffix("_fp16")
        for layer in ("0", "3"):
            for kind in ("weight", "bias"):
                if plain.endswith((f"p.{layer}.{kind}", f"layers.{layer}.{kind}")):
                    value = values[f"layers.{layer}.{kind}"]
                    half = tensor.name.endswith("_fp16")
                    tensor.CopyFrom(numpy_helper.from_array(value.astype(np.float16 if half else np.float32), tensor.name))
    for output in model.graph.output:
        if output.name == "text_embeds":
            output.type.tensor_type.shape.dim[1].dim_value = values["layers.3.bias"].shape[0]
    del model.graph.value_info[:]
    onnx.save(model, str(out / "text_encoder.onnx"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judge", type=Path, required=True)
    parser.add_argument("--segmenter", type=Path)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    out = args.out
    out.mkdir(parents=True, exist_ok=True)
    module = load_judge(args.judge)
    assert isinstance(module.image, JudgeEncoder)
    example = (torch.randn(1, 3, 64, 64),)
    names = ["image_embeds", "features"]
    write_onnx(JudgeGraph(module.image), out / "image_encoder.onnx", example, ["pixel_values"], names,
               batch_axes(["pixel_values", *names]))
    write_text_encoder(args.base, module.text, out)
    shutil.copyfile(args.base / "tokenizer.json", out / "tokenizer.json")
    described = {"formatVersion": 1, "kind": "spatext-scorer", "name": "judge: a second CLIP that only scores", "licence": "MIT", "side": 64,
                 "tokenizer": {"file": "tokenizer.json", "type": "wordpiece", "maxLength": 48},
                 "textEncoder": {"file": "text_encoder.onnx"}, "imageEncoder": {"file": "image_encoder.onnx"}}
    if args.segmenter:
        segmenter = Segmenter(len(concepts()))
        segmenter.load_state_dict(load_half(args.segmenter, "weights"))
        write_onnx(segmenter, out / "segmenter.onnx", example, ["pixel_values"], ["logits"], batch_axes(["pixel_values", "logits"]))
        described["segmenter"] = {"file": "segmenter.onnx", "classes": [c.label for c in concepts()]}
    for part in ("tokenizer", "textEncoder", "imageEncoder", "segmenter"):
        if part in described:
            described[part]["sha256"] = sha256(out / described[part]["file"])
    (out / "scorer.json").write_text(json.dumps(described, indent=1) + "\n")
    print(f"{out}: {sum(f.stat().st_size for f in out.iterdir()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
