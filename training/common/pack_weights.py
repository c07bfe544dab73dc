"""Reads weights back out of a pack's ONNX files, so that training goes on from a shipped pack.

Two generations of names are understood: those of this code, and the short ones of the first pack.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import torch
from torch import nn

from training.common.errors import TrainingError

RENAMES: dict[str, tuple[tuple[str, str], ...]] = {
    "unet": (
        (r"\bte\.", "time."), (r"\bge\.", "scene."), (r"^i\.", "conv_in."), (r"^o\.", "conv_out."), (r"^n\.", "norm_out."),
        (r"^M\.0\.", "middle.0.block."), (r"^M\.1\.", "middle.0.attention."), (r"^M\.2\.", "middle.1."),
        (r"^D\.(\d+)\.0\.", r"down.\1.block."), (r"^D\.(\d+)\.1\.", r"down.\1.attention."), (r"^D\.", "down."),
        (r"^U\.(\d+)\.0\.", r"up.\1.block."), (r"^U\.(\d+)\.1\.", r"up.\1.attention."), (r"^U\.", "up."),
        (r"\.n([12])\.", r".norm\1."), (r"\.c([12])\.", r".conv\1."), (r"\.e\.", ".condition."), (r"\.k\.", ".skip."),
        (r"\.attention\.q\.", ".attention.qkv."), (r"\.attention\.o\.", ".attention.out."),
        (r"\.attention\.n\.", ".attention.norm."),
    ),
    "image_encoder": (
        (r"^net\.0\.", "stem."), (r"^net\.(\d+)\.", lambda m: f"stages.{int(m[1]) - 3}."), (r"^p\.", "project."),
        (r"\.a\.", ".conv1."), (r"\.b\.", ".conv2."), (r"\.k\.1\.", ".skip."),
    ),
    "prior": (
        (r"^i\.", "input."), (r"^o\.", "output."), (r"^t\.", "time."), (r"^c2\.", "sentence."), (r"^c\.", "text."),
        (r"^B\.", "blocks."), (r"\.m\.", ".modulate."), (r"\.a\.", ".widen."), (r"\.b\.", ".narrow."),
    ),
    "super_resolution": (
        (r"^i\.", "conv_in."), (r"^o\.", "conv_out."), (r"^b\.", "blocks."), (r"^u([12])\.", r"up\1."), (r"^c\.", "refine."),
    ),
    "sketch": (),
    "enlargement": (),
    "text_encoder": ((r"^p\.", "layers."), (r"^head_h\.p\.", "layers."), (r"^head_h\.layers\.", "layers."),),
}


def read_initialisers(file: Path) -> dict[str, np.ndarray]:
    """Weights of one ONNX file by layer name, float32, with folded group norms named by their node."""
    import onnx
    from onnx import numpy_helper

    if not file.is_file():
        raise TrainingError(f"{file} is missing", "point --init-from at a pack folder")
    graph = onnx.load(str(file)).graph
    raw = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    for name in [n for n in raw if n.endswith("_int8")]:
        plain = name.removesuffix("_int8")
        raw[plain] = raw.pop(name).astype(np.float32) * raw.pop(plain + "_scale")
    out: dict[str, np.ndarray] = {}
    for name, value in raw.items():
        if not name.startswith("onnx::"):
            out[name.removesuffix("_fp16")] = value.astype(np.float32)
    for node in graph.node:
        for given in node.input:
            if not given.startswith("onnx::"):
                continue
            value = raw.get(given, raw.get(given + "_fp16"))
            if value is None or node.op_type not in ("Mul", "Add", "Conv"):
                continue
            parts = node.output[0].strip("/").split("/")[:-1]
            layer = (parts[-1] if len(parts) > 1 and parts[-1].startswith(parts[-2]) else ".".join(parts))
            kind = "bias" if node.op_type == "Add" else "weight"
            shaped = value if node.op_type == "Conv" else value.reshape(-1)
            out[f"{layer}.{kind}" if layer else node.output[0]] = shaped.astype(np.float32)
    return out


def rename(names: dict[str, np.ndarray], kind: str) -> dict[str, np.ndarray]:
    """Layer names of the modules in ``training.nets`` for the names found in a file."""
    out: dict[str, np.ndarray] = {}
    for name, value in names.items():
        new = name.removeprefix("m.")
        for pattern, replacement in RENAMES[kind]:
            new = re.sub(pattern, replacement, new)
        out[new] = value
    return out


def load_into(module: nn.Module, values: dict[str, np.ndarray], source: str, fresh: tuple[str, ...] = ()) -> None:
    """Copies named arrays into a module; every parameter must be found with its shape, but for those whose names begin
    with one of ``fresh``, which stay as they are where the file has none."""
    state = {name: tensor for name, tensor in module.state_dict().items() if name in values or not name.startswith(fresh or ("\0",))}
    missing = [name for name in state if name not in values]
    if missing:
        raise TrainingError(f"{source} has no weights for {', '.join(missing[:3])} and {max(len(missing) - 3, 0)} more",
                            "the file belongs to another configuration")
    for name, tensor in state.items():
        if tuple(values[name].shape) != tuple(tensor.shape):
            raise TrainingError(f"{source}: {name} is {values[name].shape}, not {tuple(tensor.shape)}",
                                "the file belongs to another configuration")
    module.load_state_dict({n: torch.from_numpy(np.array(values[n])) for n in state}, strict=not fresh)


def load_network(pack: Path, kind: str, module: nn.Module, fresh: tuple[str, ...] = ()) -> None:
    """One network of a pack (``unet``, ``image_encoder``, ``prior``, ``super_resolution``, ``text_encoder``)."""
    file = pack / f"{kind}.onnx"
    load_into(module, rename(read_initialisers(file), kind), str(file), fresh)


def load_projector(pack: Path, module: nn.Module) -> None:
    """The st projector, whose small convolutions are known by the outputs that they make."""
    import onnx
    from onnx import numpy_helper

    file = pack / "st_projector.onnx"
    graph = onnx.load(str(file)).graph
    raw = {i.name: numpy_helper.to_array(i).astype(np.float32) for i in graph.initializer}
    made = {n.output[0]: n.input[1] for n in graph.node if n.op_type == "Conv"}
    for node in graph.node:
        if node.op_type == "Concat" and node.output[0] == "st_64":
            made["st_64"] = made[node.input[0]]  # the sketch map stands behind the projected one
    found = {f"st_{s}": raw.get(made[f"st_{s}"] + "_fp16", raw.get(made[f"st_{s}"])) for s in (64, 32, 16, 8)}
    names = {"full.weight": found["st_64"]}
    names |= {f"pooled.{i}.weight": found[f"st_{s}"] for i, s in enumerate((32, 16, 8))}
    load_into(module, {k: v for k, v in names.items() if v is not None}, str(file))
