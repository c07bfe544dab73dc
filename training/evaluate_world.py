"""Scores packs on held-out scenes from text alone, seeds fixed, by a judge that trained nothing in them.

    python -m training.evaluate_world --packs models/a training/runs/pack --judge training/runs/judge \\
        --segmenter training/runs/segmenter --scenes 30 --out training/runs/evaluation

Every pack gets the same layouts, texts and noise. ``--scenes`` is the number of scenes per kind; kinds are 1, 2, 4
and 8 segments. Beside each pack stand the true renders (upper bound) and the same pictures scored against shuffled
texts (lower bound). Writes ``results.json``, ``table.md`` and one sheet a pack.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from training.clip import ClipModule
from training.common.checkpoint import load_half
from training.common.errors import TrainingError
from training.common.sheets import write_sheet
from training.conditioning import SceneBatch, collate, crop_segments
from training.judge import load_judge
from training.nets.segmenter import Segmenter
from training.pack_runner import PackRunner, map_of
from training.segmenter import iou
from training.text import PhraseBook
from training.visitors import visitors
from training.world import masks
from training.world.scene import Scene, SceneOptions, Segment, make_scene, place_sprite
from training.world.settings import draw_setting
from training.world.sprites import SpriteAtlas
from training.world.vocabulary import concepts, settings

COUNTS = (1, 2, 4, 8)
SEED = 777
ROUGH = {k: v for k, v in masks.ROUGH_KINDS.items() if k != "exact"}


@dataclass
class Judge:
    """The second CLIP: image tower, text head, and the embeddings of all concept names."""

    module: ClipModule
    book: PhraseBook
    names: Tensor

    @staticmethod
    @torch.no_grad()
    def load(folder: Path, book: PhraseBook) -> Judge:
        module = load_judge(folder)
        return Judge(module, book, module.text(book([c.label for c in concepts()])))

    @torch.no_grad()
    def words(self, texts: list[str]) -> Tensor:
        return self.module.text(self.book(texts))

    @torch.no_grad()
    def look(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """(unit embeddings, pooled features) of pictures."""
        features = self.module.image.features(pixels)
        return torch.nn.functional.normalize(self.module.image.project(features), dim=1), features


def held_out_scenes(atlas: SpriteAtlas, count: int, per: int, kinds: dict[str, float] | None = None) -> list[Scene]:
    """``per`` scenes with exactly ``count`` segments, none of which any training seed draws; shapes of some ``kinds``,
    or exact."""
    counts = tuple(float(i + 1 == count) for i in range(max(count, 1)))
    smallest = 0.2 if count < 8 else 0.15
    options = SceneOptions(counts=counts, empty=0.0, keep_segment=1.0, rough=False, largest=0.6, smallest=smallest)
    found, index = [], 0
    while len(found) < per:
        scene = make_scene(atlas, options, np.random.default_rng([SEED, count, index]))
        index += 1
        if len(scene.segments) == count:
            if kinds:
                roughen_scene(scene, np.random.default_rng([SEED, count, index, 1]), kinds)
            found.append(scene)
    return found


def touching_scenes(atlas: SpriteAtlas, per: int) -> list[Scene]:
    """``per`` scenes with two things of one kind side by side, drawn as boxes that touch: one blob to whoever sees only
    words and shapes."""
    found = []
    for index in range(per):
        rng = np.random.default_rng([SEED, 2, index, 9])
        concept = int(rng.integers(len(concepts())))
        setting = settings()[int(rng.integers(38))]
        image = draw_setting(setting, 64, rng).astype(np.float32) / 255
        exact, labels = np.zeros((64, 64), np.uint8), np.zeros((64, 64), np.uint8)
        side, y = rng.uniform(0.36, 0.46), rng.uniform(0.35, 0.65)
        segments = []
        for k in (1, 2):
            x = 0.5 + (k - 1.5) * side
            moved = place_sprite(atlas.sprite(0, concept, side * 64), 64, side, x, y, 0.0, bool(rng.random() < 0.5))
            image = image * (1 - moved[..., 3:]) + moved[..., :3]
            exact[moved[..., 3] > 0.5] = k
            x0, x1, y0, y1 = (round(v * 64) for v in (x - side / 2, x + side / 2, y - side / 2, y + side / 2))
            labels[max(y0, 0) : y1, max(x0, 0) : x1] = k
            segments.append(Segment(concept, 0, None, float(side), "box"))
        name = segments[0].label
        found.append(Scene(np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8), labels, exact, segments, setting,
                           f"{name} and {name}, {setting}"))
    return found


def roughen_scene(scene: Scene, rng: np.random.Generator, kinds: dict[str, float] = ROUGH) -> None:
    """Replaces the drawn masks by rough ones, in place; a segment that would vanish keeps its exact mask."""
    labels = np.zeros_like(scene.labels)
    for k, segment in enumerate(scene.segments, 1):
        segment.rough_kind = masks.pick_kind(rng, kinds)
        labels[masks.roughen(scene.exact == k, segment.rough_kind, rng)] = k
    for k in range(1, len(scene.segments) + 1):
        if (labels == k).sum() < 12:
            labels[scene.exact == k] = k
    scene.labels = labels


def draw(pack: PackRunner, scenes: list[Scene], scales: tuple[float, float], words: list[list[str]] | None = None,
         batch: int = 5, source: str = "text", prior_guidance: float = 1.0, chained: bool = False,
         enlarged: bool = False) -> np.ndarray:
    """Pictures [n, 3, 64, 64] of scenes from text (or from the true embeddings, ``source="true"``); ``enlarged`` ones
    went through super-resolution and were averaged back to 64 px, where judge and segmenter look."""
    rng = np.random.default_rng(SEED)
    out = []
    for at in range(0, len(scenes), batch):
        some = scenes[at:at + batch]
        texts = [s.caption for s in some]
        for i, s in enumerate(some):
            texts += words[at + i] if words else [g.label for g in s.segments]
        noise = rng.standard_normal((len(texts), 256)).astype(np.float32)
        if source == "true":
            true = collate(some)
            pixels = torch.cat([true.images, crop_segments(true.images, true.labels, true.boxes, true.owner)])
            embeds = pack.embed_images(pixels.numpy())
        else:
            embeds = pack.imagine(texts, noise, guidance=prior_guidance)
        maps, used = [], len(some)
        for s in some:
            maps.append(map_of(s.labels, embeds[used:used + len(s.segments)]))
            used += len(s.segments)
        start = rng.standard_normal((len(some), 3, 64, 64)).astype(np.float32)
        told = collate(some)
        layout = (told.labels.numpy(), told.boxes.numpy(), told.owner.numpy(), embeds[len(some):])
        sketch, fine = pack.sketch_maps(*layout)
        made = pack.generate(embeds[: len(some)], np.stack(maps), start, scales, sketch=sketch, chained=chained)
        if enlarged:
            large = pack.upscale(made, None if fine is None else fine * min(max(scales[1], 0.0), 1.0))
            made = torch.nn.functional.avg_pool2d(torch.from_numpy(large), 4).numpy()
        out.append(made)
    return np.concatenate(out)


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """Frechet distance of two sets of feature vectors."""
    ma, mb = a.mean(0), b.mean(0)
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    values = np.linalg.eigvals(ca @ cb)
    root = np.sqrt(np.clip(values.real, 0, None)).sum()
    return float(((ma - mb) ** 2).sum() + np.trace(ca) + np.trace(cb) - 2 * root)


GRAINY = 0.08
"""Mean distance of a picture from its own 3 x 3 median, -1..1, above which it is covered with grain. Of 160 true renders
99 % stay below .074 (dots and checks are the rest); the pictures of the first pack that anybody calls noise start at .09."""


def grain(pixels: np.ndarray) -> np.ndarray:
    """Mean distance [n] of pictures [n, 3, h, w] in -1..1 from what a 3 x 3 median filter makes of them."""
    whole = np.ascontiguousarray(((pixels + 1) * 127.5 + 0.5).clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1))
    return np.array([np.abs(p.astype(np.int16) - cv2.medianBlur(p, 3)).mean() / 127.5 for p in whole])


def blown(pixels: np.ndarray) -> np.ndarray:
    """Which pictures [n, 3, h, w] are noise: covered with grain, or extreme values and neighbours that disagree."""
    extreme = (np.abs(pixels) > 0.97).any(1).mean((1, 2))
    rough = (np.abs(np.diff(pixels, axis=3)).mean((1, 2, 3)) + np.abs(np.diff(pixels, axis=2)).mean((1, 2, 3))) / 2
    return (grain(pixels) > GRAINY) | ((extreme > 0.35) & (rough > 0.22))


@torch.no_grad()
def score(pixels: np.ndarray, scenes: list[Scene], judge: Judge, segmenter: Segmenter | None,
          words: list[list[str]] | None = None) -> list[dict]:
    """One row a segment: what the judge and the segmenter say of the picture inside the mask."""
    images = torch.from_numpy(pixels)
    batch: SceneBatch = collate(scenes)
    crops = crop_segments(images, batch.labels, batch.boxes, batch.owner)
    seen, _ = judge.look(crops)
    texts = [w for i, s in enumerate(scenes) for w in (words[i] if words else [g.label for g in s.segments])]
    named = judge.words(texts)
    whole = (judge.look(images)[0] * judge.words([s.caption for s in scenes])).sum(1)
    best = (seen @ judge.names.T).topk(5, 1).indices
    rows = []
    for n, (b, k) in enumerate(batch.owner.tolist()):
        segment = scenes[b].segments[k - 1]
        row = {"scene": b, "concept": segment.concept, "count": len(scenes[b].segments),
               "area": float((scenes[b].labels == k).mean()), "global": float(whole[b]),
               "local": float((seen[n] * named[n]).sum()), "shuffled": float((seen[n] * named[(n + 7) % len(texts)]).sum()),
               "top1": bool(best[n, 0] == segment.concept), "top5": bool((best[n] == segment.concept).any())}
        if segmenter is not None:
            asked = list(dict.fromkeys(s.concept for s in scenes[b].segments))
            found = segmenter.assign(images[b:b + 1], asked).numpy()
            row["iou"] = iou(found == asked.index(segment.concept) + 1, scenes[b].labels == k)
        rows.append(row)
    return rows


def summary(rows: list[dict]) -> dict[str, float]:
    """Means over segments."""
    keys = [k for k in ("top1", "top5", "local", "shuffled", "global", "iou") if rows and k in rows[0]]
    return {k: round(float(np.mean([r[k] for r in rows])), 3) for k in keys} | {"segments": len(rows)}


def table(results: dict[str, dict[str, float]]) -> str:
    """Markdown of name -> figures."""
    columns = list(dict.fromkeys(k for r in results.values() for k in r))
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, row in results.items():
        lines.append(f"| {name} | " + " | ".join(str(row.get(c, "")) for c in columns) + " |")
    return "\n".join(lines)


def split(rows: list[dict], name: str) -> dict[str, dict[str, float]]:
    """All rows, then by number of segments and by area."""
    out = {name: summary(rows)}
    for count in sorted({r["count"] for r in rows}):
        out[f"{name}, {count} segment{'s' if count > 1 else ''}"] = summary([r for r in rows if r["count"] == count])
    bounds = (0.0, 0.015, 0.035, 0.10, 1.0)
    for low, high in zip(bounds, bounds[1:], strict=False):
        some = [r for r in rows if low <= r["area"] < high]
        if some:
            out[f"{name}, area {low:.1%} to {high:.1%}"] = summary(some)
    return out


def visited(pixels: np.ndarray, scenes: list[Scene]) -> dict[str, float]:
    """Share of pictures with visitors (see ``training.visitors``), by number of segments as long as there is room."""
    found, counts = visitors(pixels, scenes), np.array([len(s.segments) for s in scenes])
    return {f"visitors, {n}": round(float(found[counts == n].mean()), 3) for n in (1, 2, 4) if (counts == n).any()}


def plain(name: str) -> str:
    """A file name of a row's name."""
    return name.replace("/", "-").replace(" ", "_")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packs", type=Path, nargs="+", required=True)
    parser.add_argument("--judge", type=Path, required=True)
    parser.add_argument("--segmenter", type=Path)
    parser.add_argument("--world", type=Path, default=Path("training/runs/world"))
    parser.add_argument("--scenes", type=int, default=30)
    parser.add_argument("--scales", type=str, nargs="*", default=["1.5/3"], help="global/local, e.g. 1.5/3 1.5/6")
    parser.add_argument("--rough", action="store_true", help="rough masks instead of exact ones")
    parser.add_argument("--loose", action="store_true", help="ovals and boxes of other proportions instead of exact masks")
    parser.add_argument("--touching", action="store_true", help="two touching boxes of the same words in each scene")
    parser.add_argument("--true-embeddings", action="store_true")
    parser.add_argument("--prior-guidance", type=float, default=1.0)
    parser.add_argument("--chained", action="store_true", help="none -> scene -> scene and segments, instead of each alone")
    parser.add_argument("--reuse", action="store_true", help="score the pictures of an earlier run where they exist")
    parser.add_argument("--enlarged", action="store_true", help="score after super-resolution, shrunk back")
    parser.add_argument("--counts", type=int, nargs="*", default=list(COUNTS))
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    atlas = SpriteAtlas.load(args.world, ("fluent-emoji-flat",))
    shapes = next((k for k in ("touching", "loose", "rough") if getattr(args, k)), "")
    if shapes == "touching":
        scenes = touching_scenes(atlas, args.scenes)
    else:
        kinds = {"loose": masks.LOOSE_KINDS, "rough": ROUGH}.get(shapes)
        scenes = [s for count in args.counts for s in held_out_scenes(atlas, count, args.scenes, kinds)]
    judge = Judge.load(args.judge, PhraseBook.load(args.world, args.packs[0]))
    segmenter = None
    if args.segmenter:
        segmenter = Segmenter(len(concepts())).eval()
        segmenter.load_state_dict(load_half(args.segmenter, "weights"))
    true = collate(scenes).images
    true_features = judge.look(true)[1].numpy()
    results = split(score(true.numpy(), scenes, judge, segmenter), "true renders")
    show = [i * len(scenes) // 16 for i in range(16)]
    for folder in args.packs:
        pack = PackRunner(folder)
        for scales in args.scales:
            pair = tuple(float(v) for v in scales.split("/"))
            name = f"{pack.description['id']} {scales}"
            if args.prior_guidance != 1:
                name += f" prior {args.prior_guidance:g}"
            if args.true_embeddings:
                name += " true embeddings"
            if args.chained:
                name += " chained"
            if args.enlarged:
                name += " enlarged"
            if name in results:
                raise TrainingError(f"two packs are called {pack.description['id']}", "give each an id of its own (training.export --id)")
            weights = hashlib.sha256((folder / "pack.json").read_bytes()).hexdigest()[:8]
            counted = "" if args.counts == list(COUNTS) else "-of-" + "-".join(map(str, args.counts))
            kept = args.out / f"{plain(name)}-{weights}-{len(scenes)}{counted}{'-' + shapes if shapes else ''}.npy"
            began = time.monotonic()
            if kept.exists() and args.reuse:
                pixels = np.load(kept).astype(np.float32) / 127.5 - 1
            else:
                pixels = draw(pack, scenes, (pair[0], pair[1]), source="true" if args.true_embeddings else "text",
                              prior_guidance=args.prior_guidance, chained=args.chained, enlarged=args.enlarged)
                np.save(kept, ((pixels + 1) * 127.5 + 0.5).astype(np.uint8))
            seconds = time.monotonic() - began
            rows = score(pixels, scenes, judge, segmenter)
            made = split(rows, name)
            made[name] |= {"fid": round(frechet(judge.look(torch.from_numpy(pixels))[1].numpy(), true_features), 2),
                           "blown": round(float(blown(pixels).mean()), 3), **visited(pixels, scenes),
                           "seconds a scene": round(seconds / len(scenes), 2)}
            results |= made
            write_sheet(args.out / f"sheet-{plain(name)}.png",
                        [true[show], torch.from_numpy(pixels[show])], torch.from_numpy(np.stack([scenes[i].labels for i in show])))
            print(table({k: v for k, v in made.items() if k == name}), flush=True)
    (args.out / "results.json").write_text(json.dumps({"scenes": len(scenes), "shapes": shapes or "exact", "results": results}, indent=1))
    (args.out / "table.md").write_text(table(results) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
