"""pack.json: what a pack says of its networks, so that the studio can run them without knowing where they came from.

``training.export`` writes the networks, then ``describe`` derives their description from that of the pack they came from:
new hashes and sizes, the sketch's inputs where there is one, what the pack recommends.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from training.common.errors import TrainingError
from training.common.pack_weights import read_initialisers
from training.nets.drawing import FRAME
from training.nets.sketch import CHANNELS
from training.nets.superres import FACTOR, FINE
from training.nets.unet import SKETCH_SPREAD, SKETCH_UNTIL

SKETCH_MAP = {"shape": ["batch", CHANNELS, 64, 64], "dtype": "float32",
              "note": "sketches laid into the cells that their segments own, zeros elsewhere"}
FINE_SKETCH_MAP = {"shape": ["batch", CHANNELS, f"{FINE}*height", f"{FINE}*width"], "dtype": "float32",
                   "note": "the sketch map, finer; zeros where nothing is known of the picture"}
SKETCH_COMPONENT: dict[str, Any] = {
    "file": "sketch.onnx",
    "inputs": {"image_embeds": {"shape": ["batch", 256], "dtype": "float32", "note": "unit-length embedding of a segment"},
               "segment_masks": {"shape": ["batch", 1, FRAME, FRAME], "dtype": "float32", "range": [0, 1],
                                 "note": "the segment's mask in its square frame, 1.08 times the longer side of its box"}},
    "outputs": {"sketch": {"shape": ["batch", CHANNELS, FRAME, FRAME], "dtype": "float32",
                           "note": "red, green, blue in -1..1; how much of the thing is here, 0..1; 1"}},
    "note": "once per generation and segment",
}


ENLARGEMENT_FILE = "enlargement.onnx"
OPTIONAL_FILES = ("sketch.onnx", ENLARGEMENT_FILE)
"""Networks that not every pack has."""
ENLARGEMENT_COMPONENT: dict[str, Any] = {
    "file": ENLARGEMENT_FILE,
    "inputs": {"sample": {"shape": ["batch", 3, "height", "width"], "dtype": "float32", "range": [-1, 1],
                          "note": "what super-resolution made, or any other picture"}},
    "outputs": {"upscaled": {"shape": ["batch", 3, f"{FACTOR}*height", f"{FACTOR}*width"], "dtype": "float32"}},
    "factor": FACTOR,
}

GUIDANCE_WITH_SKETCH = {"conditions": ["global", "local"], "modes": ["multi", "single", "joint"],
                        "defaults": {"mode": "joint", "globalScale": 1.3, "localScale": 1.3}}
"""Chained at equal scales needs two passes a step instead of three and keeps more of the setting; a decoder that sees the
sketch needs less of either, and shows fringes where it gets more (RESULTS.md)."""


def with_sketch(tensors: dict[str, Any]) -> dict[str, Any]:
    """Tensor descriptions in which st_64 carries the sketch map behind its own channels."""
    batch, channels, *size = tensors["st_64"]["shape"]
    return tensors | {"st_64": tensors["st_64"] | {"shape": [batch, channels + CHANNELS, *size]}}


def reads_sketch(pack: Path) -> bool:
    """Whether a pack's super-resolution takes a sketch map."""
    import onnx

    file = pack / "super_resolution.onnx"
    if not file.is_file():
        raise TrainingError(f"{file} is missing", "give the folder of a pack")
    return any(i.name == "sketch_map" for i in onnx.load(str(file)).graph.input)


def bank_size(folder: Path) -> int:
    """How many pictures a pack's prior remembers."""
    values = read_initialisers(folder / "prior.onnx")
    return next((len(v) for k, v in values.items() if k.removeprefix("m.") == "bank"), 0)


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def describe(base: Path, out: Path, ident: str, name: str, training: dict[str, Any]) -> None:
    """pack.json: the base's description with new hashes, sizes and training."""
    description = json.loads((base / "pack.json").read_text("utf-8"))
    description |= {"id": ident, "name": name, "training": training}
    components = description["components"]
    if (out / "sketch.onnx").is_file():
        description["guidance"] = GUIDANCE_WITH_SKETCH
    if (out / "sketch.onnx").is_file() and "sketch" not in components:
        components["sketch"] = SKETCH_COMPONENT
        components["stProjector"] |= {"inputs": {**components["stProjector"]["inputs"], "sketch_map": SKETCH_MAP}}
        components["stProjector"]["outputs"] = with_sketch(components["stProjector"]["outputs"])
        components["unet"] |= {"inputs": with_sketch(components["unet"]["inputs"])}
    if reads_sketch(out):
        sharp = components["superResolution"]
        sharp |= {"sketchScale": FINE, "inputs": {**sharp["inputs"], "sketch_map": FINE_SKETCH_MAP}}
    if (out / ENLARGEMENT_FILE).is_file():
        components.setdefault("enlargement", ENLARGEMENT_COMPONENT)
    if "sketch" in components:
        components["unet"]["sketchAnchor"] = {"spread": SKETCH_SPREAD, "until": SKETCH_UNTIL}
    for component in components.values():
        file = out / component["file"]
        component |= {"sha256": sha256(file), "bytes": file.stat().st_size}
    description["tokenizer"]["sha256"] = sha256(out / description["tokenizer"]["file"])
    (out / "pack.json").write_text(json.dumps(description, indent=1) + "\n")
