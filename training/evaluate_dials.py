"""Scores a pack over a grid of both dials: do they do what they say?

    python -m training.evaluate_dials --pack PACK --judge training/checkpoints/judge --scenes 10 --out training/runs/dials

The held-out scenes of ``training.evaluate_world`` (``--scenes`` of each number of segments), the same noise at every
point of the grid. Beside the means of each point stands, for either dial, the share of scenes whose score rose from
the dial's lowest setting to its highest, the other one held: the local score (mean over the scene's segments) for the
segments' dial, the global one for the scene's. Writes ``dials.json``, ``dials.md`` and a sheet of some scenes.
"""

from __future__ import annotations

import argparse
import json
from itertools import product
from pathlib import Path

import numpy as np
import torch

from training.common.sheets import write_sheet
from training.evaluate_world import COUNTS, Judge, blown, draw, held_out_scenes, score, summary, table
from training.pack_runner import PackRunner
from training.text import PhraseBook
from training.world.scene import Scene
from training.world.sprites import SpriteAtlas

Scales = tuple[float, float]


def by_scene(rows: list[dict], key: str, scenes: int) -> np.ndarray:
    """The mean of ``key`` over each scene's segments: [scenes]."""
    return np.array([np.mean([r[key] for r in rows if r["scene"] == i]) for i in range(scenes)])


def share_risen(low: np.ndarray, high: np.ndarray) -> float:
    """The share of scenes whose score is higher in ``high`` than in ``low``."""
    return round(float((high > low).mean()), 3)


def risen(scores: dict[Scales, dict[str, np.ndarray]], values: tuple[float, ...]) -> dict[str, dict[str, float]]:
    """For each dial and each setting of the other one: in how many scenes the dial raised its own score.

    ``scores`` by (global, local) scale: ``local`` and ``global`` of each scene [n]."""
    ends = (values[0], values[-1])
    segments = {f"scene at {g:g}": share_risen(*(scores[g, s]["local"] for s in ends)) for g in values}
    scene = {f"segments at {s:g}": share_risen(*(scores[g, s]["global"] for g in ends)) for s in values}
    return {"segments' dial raises the local score": segments, "scene's dial raises the global score": scene}


def measure(pack: PackRunner, scenes: list[Scene], judge: Judge, values: tuple[float, ...], chained: bool,
            sheet: Path | None = None) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """(means by point of the grid, shares of scenes in which a dial did what it says)."""
    points: dict[str, dict[str, float]] = {}
    scores: dict[Scales, dict[str, np.ndarray]] = {}
    rows_of_sheet = []
    for scales in product(values, values):
        pixels = draw(pack, scenes, scales, chained=chained, enlarged=True)
        rows = score(pixels, scenes, judge, None)
        scores[scales] = {key: by_scene(rows, key, len(scenes)) for key in ("local", "global")}
        name = f"scene {scales[0]:g}, segments {scales[1]:g}"
        points[name] = summary(rows) | {"blown": round(float(blown(pixels).mean()), 3)}
        rows_of_sheet.append(torch.from_numpy(pixels[:: max(len(scenes) // 16, 1)][:16]))
        print(table({name: points[name]}), flush=True)
    if sheet is not None:
        write_sheet(sheet, rows_of_sheet)
    return points, risen(scores, values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--judge", type=Path, required=True)
    parser.add_argument("--world", type=Path, default=Path("training/runs/world"))
    parser.add_argument("--scenes", type=int, default=10, help="of each number of segments (1, 2, 4, 8)")
    parser.add_argument("--values", type=float, nargs="+", default=[0.5, 1.5, 4.0], help="settings of either dial, rising")
    parser.add_argument("--chained", action="store_true", help="none -> scene -> scene and segments, instead of each alone")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    atlas = SpriteAtlas.load(args.world, ("fluent-emoji-flat",))
    scenes = [s for count in COUNTS for s in held_out_scenes(atlas, count, args.scenes)]
    judge = Judge.load(args.judge, PhraseBook.load(args.world, args.pack))
    points, shares = measure(PackRunner(args.pack), scenes, judge, tuple(args.values), args.chained, args.out / "dials.png")
    (args.out / "dials.json").write_text(json.dumps({"scenes": len(scenes), "points": points, "risen": shares}, indent=1))
    text = table(points) + "\n\n" + table(shares)
    (args.out / "dials.md").write_text(text + "\n")
    print(table(shares))


if __name__ == "__main__":
    main()
