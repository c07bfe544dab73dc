"""Writes the held-out scenes as scene files of the studio, so that ``spatext generate`` and ``evaluate`` read them.

    python -m training.scene_files --scenes 125 --out training/runs/scenes     (500 scenes, with their true renders)

Beside every scene lies its true render ``NAME.png``: the folder is at once a result folder, the upper bound.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from training.evaluate_world import COUNTS, ROUGH, SEED, held_out_scenes
from training.world.scene import Scene
from training.world.sprites import SpriteAtlas

SIDE = 512


def outline(mask: np.ndarray, side: int = SIDE) -> str:
    """SVG path data of a boolean mask [h, w] along its pixels' edges, in scene pixels (even-odd)."""
    scale = side // mask.shape[0]
    big = cv2.resize(mask.astype(np.uint8), None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    lines, _ = cv2.findContours(big, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    parts = []
    for line in lines:
        points = line[:, 0]
        if len(points) >= 3:
            parts.append("M " + " L ".join(f"{x} {y}" for x, y in points.tolist()) + " Z")
    return " ".join(parts)


def scene_records(scene: Scene, name: str, seed: int, side: int = SIDE) -> dict[str, Any]:
    """One scene in the studio's format, version 1."""
    records: list[dict[str, Any]] = [{
        "id": "scene:main", "type": "scene", "title": name, "width": side, "height": side, "text": scene.caption, "seed": seed}]
    for k, segment in enumerate(scene.segments, 1):
        d = outline(scene.labels == k, side)
        if not d:
            continue
        records.append({"id": f"segment:{k}", "type": "segment", "order": k, "color": (k - 1) % 8, "slot": f"slot:{k}",
                        "shapes": [{"kind": "path", "d": d, "fillRule": "evenodd"}]})
        records.append({"id": f"slot:{k}", "type": "slot", "content": {"kind": "text", "text": segment.label}})
    return {"format": "spatext-scene", "version": 1, "records": records}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", type=Path, default=Path("training/runs/world"))
    parser.add_argument("--scenes", type=int, default=125, help="per number of segments (1, 2, 4, 8)")
    parser.add_argument("--rough", action="store_true")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    atlas = SpriteAtlas.load(args.world, ("fluent-emoji-flat",))
    for count in COUNTS:
        for i, scene in enumerate(held_out_scenes(atlas, count, args.scenes, ROUGH if args.rough else None)):
            name = f"{count}-segments-{i:03d}"
            (args.out / f"{name}.json").write_text(json.dumps(scene_records(scene, name, SEED + i), separators=(",", ":")))
            picture = cv2.resize(scene.image, (256, 256), interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(args.out / f"{name}.png"), picture[..., ::-1])
    print(f"{args.out}: {args.scenes * len(COUNTS)} scenes")


if __name__ == "__main__":
    main()
