"""Runs a pack as the studio does, from texts and masks to pictures, in ONNX Runtime."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from training.common.errors import TrainingError
from training.diffusion import CosineSchedule, sample_ddim
from training.text import SentenceEncoder

Array = np.ndarray


def unit(x: Array) -> Array:
    return (x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)).astype(np.float32)


class PackRunner:
    """All networks of one pack folder."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        import onnxruntime

        if not (folder / "pack.json").is_file():
            raise TrainingError(f"{folder} is not a pack (no pack.json)", "give a folder made by training.export")
        self.folder = folder
        self.description = json.loads((folder / "pack.json").read_text("utf-8"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3

        def open_session(key: str) -> onnxruntime.InferenceSession:
            return onnxruntime.InferenceSession(str(folder / self.description["components"][key]["file"]), options)

        self.image_encoder = open_session("imageEncoder")
        self.prior = open_session("prior")
        self.projector = open_session("stProjector")
        self.unet = open_session("unet")
        self.upscaler = open_session("superResolution")
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

    def generate(self, scene: Array, st: Array, noise: Array, scales: tuple[float, float] = (1.5, 3.0), steps: int = 20) -> Array:
        """DDIM with multi-scale guidance. ``scene`` [b, 256], ``st`` [b, 256, 64, 64], ``noise`` [b, 3, 64, 64]."""
        names = ("st_64", "st_32", "st_16", "st_8")
        st_parts = self.projector.run(list(names), {"spatio_textual_map": st.astype(np.float32)})
        b = len(scene)
        uses = [True, scales[0] != 0, scales[1] != 0]
        scenes = np.concatenate([scene * 0, scene, scene * 0][: 3])[np.repeat(uses, b)].astype(np.float32)
        parts = {n: np.concatenate([p * 0, p * 0, p])[np.repeat(uses, b)] for n, p in zip(names, st_parts, strict=True)}

        def guided(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            many = sum(uses)
            out = self.unet.run(None, {"sample": x.repeat(many, 1, 1, 1).numpy(), "timestep": t.repeat(many).numpy(),
                                       "global_embeds": scenes, **parts})[0]
            chunks = list(torch.from_numpy(out).chunk(many))
            free = chunks.pop(0)
            v = free.clone()
            for scale, used in zip(scales, uses[1:], strict=True):
                if used:
                    v += scale * (chunks.pop(0) - free)
            return v

        return sample_ddim(self.schedule, guided, torch.from_numpy(noise), steps).clamp(-1, 1).numpy()

    def upscale(self, pixels: Array) -> Array:
        """[b, 3, h, w] -> [b, 3, 4h, 4w], clipped."""
        return np.clip(self.upscaler.run(None, {"sample": pixels.astype(np.float32)})[0], -1, 1)


def map_of(labels: Array, embeddings: Array) -> Array:
    """The spatio-textual map [256, h, w] of labels [h, w] (0 none, k the k-th of ``embeddings`` [n, 256])."""
    table = np.concatenate([np.zeros((1, embeddings.shape[1]), np.float32), embeddings.astype(np.float32)])
    return np.ascontiguousarray(table[labels].transpose(2, 0, 1))


def cosine(a: Array, b: Array) -> Array:
    return F.cosine_similarity(torch.from_numpy(a), torch.from_numpy(b)).numpy()
