"""The paper's own setting: any folder of pictures with COCO-panoptic annotations, read as scenes.

``PanopticFolder(images, panoptic.json, panoptic_pngs)`` yields the same ``Scene`` as the drawn world: things and stuff
of at least ``smallest_area``, a random number of disjoint ones kept, rough masks where wanted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from training.common.errors import TrainingError
from training.world import masks
from training.world.scene import Scene, Segment


@dataclass
class NamedSegment(Segment):
    """A segment whose words come from the annotation instead of the vocabulary."""

    words: str = ""

    @property
    def label(self) -> str:
        return self.words


@dataclass
class PanopticFolder:
    """Pictures with panoptic ids. Broken or missing pictures are skipped and listed in ``skipped``."""

    images: Path
    annotations: Path
    panoptic: Path
    size: int = 64
    smallest_area: float = 0.05
    most: int = 8
    rough: bool = True
    skipped: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        try:
            data = json.loads(self.annotations.read_text("utf-8"))
            self.names = {c["id"]: c["name"] for c in data["categories"]}
            files = {i["id"]: i["file_name"] for i in data["images"]}
            self.entries = [(files[a["image_id"]], a["file_name"], a["segments_info"]) for a in data["annotations"]]
        except (OSError, json.JSONDecodeError, KeyError) as error:
            raise TrainingError(f"{self.annotations} is not a COCO-panoptic file ({error!r})",
                                "it needs images, categories and annotations with segments_info") from error
        if not self.entries:
            raise TrainingError(f"{self.annotations} lists no picture", "check the file")

    def __len__(self) -> int:
        return len(self.entries)

    def read(self, index: int, rng: np.random.Generator) -> Scene | None:
        """One picture as a scene: square crop, resized, or None where it cannot be read."""
        name, png, infos = self.entries[index % len(self.entries)]
        image, ids = cv2.imread(str(self.images / name)), cv2.imread(str(self.panoptic / png))
        if image is None or ids is None or image.shape[:2] != ids.shape[:2]:
            self.skipped.append(name)
            return None
        # panoptic ids are stored as red + 256 green + 65536 blue; OpenCV reads blue, green, red
        wide = ids[..., 2].astype(np.int64) + 256 * ids[..., 1].astype(np.int64) + 65536 * ids[..., 0].astype(np.int64)
        side = min(image.shape[:2])
        y, x = (int(rng.integers(0, d - side + 1)) for d in image.shape[:2])
        small = cv2.resize(image[y:y + side, x:x + side], (self.size, self.size), interpolation=cv2.INTER_AREA)[..., ::-1]
        near = (np.arange(self.size) * side / self.size + side / self.size / 2).astype(np.int64)
        cut = wide[y:y + side, x:x + side][near][:, near]
        found = [(info, cut == info["id"]) for info in infos if not info.get("iscrowd")]
        found = [(info, m) for info, m in found if m.mean() >= self.smallest_area]
        keep = rng.permutation(len(found))[: int(rng.integers(0, min(len(found), self.most) + 1))] if found else []
        return self.build(np.ascontiguousarray(small), [found[int(k)] for k in keep], rng)

    def build(self, image: np.ndarray, kept: list[tuple[dict, np.ndarray]], rng: np.random.Generator) -> Scene:
        """A scene of the kept segments."""
        exact, labels = np.zeros((self.size, self.size), np.uint8), np.zeros((self.size, self.size), np.uint8)
        segments: list[Segment] = []
        for info, mask in kept:
            kind = masks.pick_kind(rng) if self.rough else "exact"
            words = self.names.get(info["category_id"], "thing")
            segments.append(NamedSegment(-1, 0, None, float(np.sqrt(mask.mean())), rough_kind=kind, words=words))
            exact[mask] = len(segments)
            labels[masks.roughen(mask, kind, rng)] = len(segments)
        for k in range(1, len(segments) + 1):  # topmost wins, but nothing may vanish
            if not (labels == k).any():
                labels[exact == k] = k
        return Scene(image, labels, exact, segments, "", ", ".join(s.label for s in segments))

    def scenes(self, seed: int, first: int, count: int) -> list[Scene]:
        """``count`` readable scenes from the endless list that ``seed`` stands for."""
        out: list[Scene] = []
        index, failures = first, 0
        while len(out) < count:
            scene = self.read(index, np.random.default_rng([seed, index]))
            index += 1
            if scene is None:
                failures += 1
                if failures > len(self.entries):
                    raise TrainingError(f"no picture of {self.annotations} can be read", f"first missing: {self.skipped[0]}")
                continue
            failures = 0
            out.append(scene)
        return out
