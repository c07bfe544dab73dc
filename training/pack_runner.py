"""Runs a pack as the studio does, from texts and masks to pictures, in ONNX Runtime."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from training.common.errors import TrainingError
from training.diffusion import CosineSchedule, sample_ddim
from training.nets.drawing import FRAME
from training.nets.sketch import CHANNELS, frame_masks, paste
from training.nets.superres import FINE, paste_fine
from training.nets.unet import anchor
from training.text import SentenceEncoder

Array = np.ndarray
ST_NAMES = ("st_64", "st_32", "st_16", "st_8")


def unit(x: Array) -> Array:
    return (x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)).astype(np.float32)


class PackRunner:
    """All networks of one pack folder."""

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        import onnxruntime

        if not (folder / "pack.json").is_file():
            raise TrainingError(f"{folder} is not a pack (no pack.json)", "give a folder made by training.export")
        self.folder = folder
        self.description = json.loads((folder / "pack.json").read_text("utf-8"))
        options = onnxruntime.SessionOptions()
        # more threads than cores that this process may use wait for each other
        usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        options.intra_op_num_threads = threads or usable
        options.log_severity_level = 3

        def open_session(key: str) -> onnxruntime.InferenceSession:
            return onnxruntime.InferenceSession(str(folder / self.description["components"][key]["file"]), options)

        self.image_encoder = open_session("imageEncoder")
        self.prior = open_session("prior")
        self.projector = open_session("stProjector")
        self.sketch = open_session("sketch") if "sketch" in self.description["components"] else None
        self.unet = open_session("unet")
        self.upscaler = open_session("superResolution")
        self.enlarger = open_session("enlargement") if "enlargement" in self.description["components"] else None
        self.text = SentenceEncoder(folder)
        self.schedule = CosineSchedule()
        self.cache: dict[str, tuple[Array, Array]] = {}

    def encode(self, texts: list[str]) -> tuple[Array, Array]:
        """(sentence [n, 384], text [n, 256]) embeddings, unit length."""
        missing = [t for t in dict.fromkeys(texts) if t not in self.cache]
        if missing:
            out = self.text.run(missing)
            for i, t in enumerate(missing):
                self.cache[t] = (out["sentence_embeds"][i], out["text_embeds"][i])
        return np.stack([self.cache[t][0] for t in texts]), np.stack([self.cache[t][1] for t in texts])

    def imagine(self, texts: list[str], noise: Array, steps: int = 20, guidance: float = 1.0) -> Array:
        """Image embeddings [n, 256] that the prior gives to texts, from normal ``noise`` [n, 256]."""
        sentence, text = self.encode(texts)
        x, times = torch.from_numpy(noise), self.schedule.trailing(steps)

        def clean_of(x: Array, i: int, text: Array, sentence: Array) -> Array:
            return self.prior.run(None, {"hidden_states": x, "timestep": np.full(len(x), i, np.int64),
                                         "text_embeds": text, "sentence_embeds": sentence})[0]

        for k, i in enumerate(times):
            clean = clean_of(x.numpy(), i, text, sentence)
            if guidance != 1.0:
                free = clean_of(x.numpy(), i, text * 0, sentence * 0)
                clean = free + guidance * (clean - free)
            x = self.schedule.ddim_step(x, torch.from_numpy(clean), i, times[k + 1] if k + 1 < len(times) else -1)
        return unit(x.numpy())

    def embed_images(self, pixels: Array) -> Array:
        """[n, 3, 64, 64] in -1..1 -> [n, 256]."""
        return self.image_encoder.run(None, {"pixel_values": pixels.astype(np.float32)})[0]

    def sketch_maps(self, labels: Array, boxes: Array, owner: Array, embeddings: Array) -> tuple[Array, Array] | tuple[None, None]:
        """Sketches of all segments pasted into the map [b, 5, 64, 64], and once more for super-resolution, each place
        repeated: [b, 5, 128, 128]. None where the pack has no sketch.

        ``labels`` [b, 64, 64], ``boxes`` [n, 3], ``owner`` [n, 2] as in ``SceneBatch``, ``embeddings`` [n, 256].
        """
        if self.sketch is None:
            return None, None
        parts = [torch.from_numpy(a) for a in (labels.astype(np.int64), boxes, owner)]
        drawn = np.zeros((len(owner), CHANNELS, FRAME, FRAME), np.float32)
        if len(owner):
            drawn = self.sketch.run(None, {"image_embeds": embeddings.astype(np.float32),
                                           "segment_masks": frame_masks(*parts).numpy()})[0]
        laid = (torch.from_numpy(drawn), *parts)
        return paste(*laid).numpy(), paste_fine(*laid).numpy()

    def project(self, st: Array, sketch: Array | None) -> dict[str, Array]:
        """What the denoiser is told of the map ``st`` [b, 256, 64, 64], by input name."""
        feed = {"spatio_textual_map": st.astype(np.float32)} | ({} if sketch is None else {"sketch_map": sketch})
        return dict(zip(ST_NAMES, self.projector.run(list(ST_NAMES), feed), strict=True))

    def generate(self, scene: Array, st: Array, noise: Array, scales: tuple[float, float] = (1.5, 3.0), steps: int = 20,
                 sketch: Array | None = None, chained: bool = False) -> Array:
        """DDIM with multi-scale guidance, or ``chained``: none -> scene -> scene and segments.

        ``scene`` [b, 256], ``st`` [b, 256, 64, 64], ``noise`` [b, 3, 64, 64], ``sketch`` the first of ``sketch_maps``.
        """
        st_parts = self.project(st, sketch)
        whole, local = scales
        passes = [(0, 0, 1 - whole), (1, 0, whole - local), (1, 1, local)] if chained else \
            [(0, 0, 1 - whole - local), (1, 0, whole), (0, 1, local)]
        passes = [p for p in passes if abs(p[2]) > 1e-9]
        scenes = np.concatenate([scene * with_scene for with_scene, _, _ in passes]).astype(np.float32)
        maps = {name: np.concatenate([part * with_map for _, with_map, _ in passes]).astype(np.float32)
                for name, part in st_parts.items()}

        def guided(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            out = self.unet.run(None, {"sample": x.repeat(len(passes), 1, 1, 1).numpy(), "timestep": t.repeat(len(passes)).numpy(),
                                       "global_embeds": scenes, **maps})[0]
            parts = torch.from_numpy(out).chunk(len(passes))
            return self.held(sum(c * v for (_, _, c), v in zip(passes, parts, strict=True)), x, t, sketch, local)

        return sample_ddim(self.schedule, guided, torch.from_numpy(noise), steps).clamp(-1, 1).numpy()

    def held(self, v: torch.Tensor, x: torch.Tensor, t: torch.Tensor, sketch: Array | None, share: float) -> torch.Tensor:
        """Guided v held to the sketch, as pack.json says."""
        if sketch is None:
            return v
        how = self.description["components"]["unet"]["sketchAnchor"]
        return anchor(v, x, t, torch.from_numpy(sketch), share, how["spread"], how["until"])

    def upscale(self, pixels: Array, sketch: Array | None = None) -> Array:
        """[b, 3, h, w] and the second of ``sketch_maps``, if there is one, -> [b, 3, 4h, 4w], clipped."""
        return np.clip(self.enlarge(pixels, sketch), -1, 1)

    def enlarge(self, pixels: Array, sketch: Array | None) -> Array:
        """The same as it comes out of the network."""
        feed = {"sample": pixels.astype(np.float32)}
        if any(i.name == "sketch_map" for i in self.upscaler.get_inputs()):
            b, _, h, w = pixels.shape
            feed["sketch_map"] = np.zeros((b, CHANNELS, h * FINE, w * FINE), np.float32) if sketch is None else sketch
        return self.upscaler.run(None, feed)[0]

    def enlarge_again(self, pixels: Array) -> Array:
        """A finished picture [b, 3, h, w] -> [b, 3, 4h, 4w]."""
        return self.enlarge(pixels, None) if self.enlarger is None else self.enlarger.run(None, {"sample": pixels.astype(np.float32)})[0]


def map_of(labels: Array, embeddings: Array) -> Array:
    """The spatio-textual map [256, h, w] of labels [h, w] (0 none, k the k-th of ``embeddings`` [n, 256])."""
    table = np.concatenate([np.zeros((1, embeddings.shape[1]), np.float32), embeddings.astype(np.float32)])
    return np.ascontiguousarray(table[labels].transpose(2, 0, 1))


def cosine(a: Array, b: Array) -> Array:
    return F.cosine_similarity(torch.from_numpy(a), torch.from_numpy(b)).numpy()
