"""How a pack fails on words outside its world: the share of blown pictures on 100 unseen settings and 100 unseen objects.

    python -m training.evaluate_unseen --packs PACK training/runs/pack --out training/runs/evaluation [--every 2]

A picture is blown when over a third of it sits at the ends of the range while neighbours disagree: saturated noise.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from training.common.sheets import write_sheet
from training.conditioning import box_of
from training.evaluate_world import SEED, blown, table
from training.pack_runner import PackRunner, map_of

UNSEEN_FILE = Path(__file__).with_name("world") / "unseen.json"


def disc(size: int = 64, radius: float = 0.3) -> np.ndarray:
    """Labels [size, size] with one round segment in the middle."""
    y, x = np.ogrid[:size, :size]
    return (((x - size / 2) ** 2 + (y - size / 2) ** 2) < (radius * size) ** 2).astype(np.uint8)


def draw_unseen(pack: PackRunner, settings: list[str], objects: list[str], scales: tuple[float, float] = (1.5, 3.0),
                batch: int = 5) -> np.ndarray:
    """A picture of every pair [n, 3, 64, 64]: the object on a disc, the setting around it."""
    rng, out = np.random.default_rng(SEED), []
    for at in range(0, len(settings), batch):
        texts = settings[at:at + batch] + objects[at:at + batch]
        n = len(texts) // 2
        embeds = pack.imagine(texts, rng.standard_normal((2 * n, 256)).astype(np.float32))
        maps = np.stack([map_of(disc(), embeds[n + i:n + i + 1]) for i in range(n)])
        labels = np.repeat(disc()[None], n, 0)
        boxes = np.repeat(np.array([box_of(disc() > 0)], np.float32), n, 0)
        owner = np.stack([np.arange(n), np.ones(n, np.int64)], 1)
        out.append(pack.generate(embeds[:n], maps, rng.standard_normal((n, 3, 64, 64)).astype(np.float32), scales,
                                 sketch=pack.sketch_maps(labels, boxes, owner, embeds[n:])[0]))
    return np.concatenate(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packs", type=Path, nargs="+", required=True)
    parser.add_argument("--every", type=int, default=1, help="take every n-th of the 100 pairs")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    words = json.loads(UNSEEN_FILE.read_text("utf-8"))
    known = words["settings"][::args.every], words["objects"][::args.every]
    results: dict[str, dict[str, float]] = {}
    for folder in args.packs:
        pack = PackRunner(folder)
        pixels = draw_unseen(pack, *known)
        name = pack.description["id"]
        extreme = (np.abs(pixels) > 0.97).any(1).mean((1, 2))
        results[name] = {"blown": round(float(blown(pixels).mean()), 3), "share of extreme pixels": round(float(extreme.mean()), 3),
                         "pairs": len(pixels)}
        write_sheet(args.out / f"unseen-{name}.png", [torch.from_numpy(pixels[:24])])
    (args.out / "unseen.json").write_text(json.dumps(results, indent=1))
    print(table(results))


if __name__ == "__main__":
    main()
