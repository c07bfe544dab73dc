"""Sprites: SVG icons rendered once into an atlas, kept as an image pyramid.

    python -m training.world.sprites --icons FOLDER --out training/runs/world

FOLDER holds the ``@iconify-json`` packages (``npm install`` puts them into node_modules).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from training.common.checkpoint import written_whole
from training.common.errors import TrainingError
from training.world.vocabulary import SPRITE_SETS, concepts

ATLAS_SIZE = 128


def render_icon(body: str, left: float, top: float, width: float, height: float, size: int) -> np.ndarray:
    """One icon body to premultiplied RGBA, ``[size, size, 4]`` uint8, centred in the square."""
    import resvg_py  # only needed to prepare sprites; training itself runs without it

    side = max(width, height)
    view = f"{left - (side - width) / 2} {top - (side - height) / 2} {side} {side}"
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{view}" width="{size}" height="{size}">{body}</svg>'
    )
    png = np.frombuffer(bytes(resvg_py.svg_to_bytes(svg_string=svg, width=size, height=size)), np.uint8)
    bgra = cv2.imdecode(png, cv2.IMREAD_UNCHANGED)
    if bgra is None or bgra.shape != (size, size, 4):
        raise TrainingError("an icon could not be rendered", "check the icon packages and resvg-py")
    rgba = cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGBA).astype(np.float32)
    rgba[..., :3] *= rgba[..., 3:] / 255.0
    return np.rint(rgba).astype(np.uint8)


def render_set(package: Path, size: int) -> np.ndarray:
    """All concepts of one iconify package: ``[concepts, size, size, 4]`` uint8, premultiplied."""
    file = package / "icons.json"
    if not file.is_file():
        raise TrainingError(f"{file} is missing", "npm install the @iconify-json packages of training/README.md")
    data = json.loads(file.read_text("utf-8"))
    icons, aliases = data["icons"], data.get("aliases", {})
    out = np.zeros((len(concepts()), size, size, 4), np.uint8)
    for i, concept in enumerate(concepts()):
        name = concept.id
        while name not in icons:
            if name not in aliases:
                raise TrainingError(f"{package.name} has no icon {concept.id}", "use the versions in training/README.md")
            name = aliases[name]["parent"]
        icon = icons[name]
        box = [icon.get(key, data.get(key, default))
               for key, default in (("left", 0), ("top", 0), ("width", 16), ("height", 16))]
        out[i] = render_icon(icon["body"], *box, size)
    return out


class SpriteAtlas:
    """Sprites of some sets at several sizes, so that shrinking them does not alias.

    ``levels[k]`` is ``[sets, concepts, s, s, 4]`` uint8 premultiplied, with s = 128, 64, 32, 16.
    """

    def __init__(self, sprites: np.ndarray, names: tuple[str, ...]) -> None:
        self.names = names
        self.levels = [sprites]
        while self.levels[-1].shape[2] > 16:
            big = self.levels[-1]
            half = np.empty((*big.shape[:2], big.shape[2] // 2, big.shape[3] // 2, 4), np.uint8)
            for k in range(big.shape[1]):  # one concept at a time: sums of all large ones at once would take gigabytes
                quarters = [big[:, k, y::2, x::2].astype(np.uint16) for y in (0, 1) for x in (0, 1)]
                half[:, k] = (sum(quarters) + 2) // 4
            self.levels.append(half)

    def sprite(self, style: int, concept: int, wanted: float) -> np.ndarray:
        """The smallest stored version that is still at least ``wanted`` pixels wide."""
        chosen = self.levels[0]
        for level in self.levels:
            if level.shape[2] >= wanted:
                chosen = level
        return chosen[style, concept]

    @staticmethod
    def load(folder: Path, sets: tuple[str, ...] = SPRITE_SETS) -> SpriteAtlas:
        """Reads the prepared files of the named sets."""
        found = []
        for name in sets:
            file = folder / f"sprites-{name}.npz"
            if not file.is_file():
                raise TrainingError(f"{file} is missing", "run python -m training.world.sprites first")
            with np.load(file) as data:
                found.append(data["sprites"])
        return SpriteAtlas(np.stack(found), sets)

    @staticmethod
    def load_large(folder: Path, name: str) -> SpriteAtlas | None:
        """The first set alone from a file of larger sprites, if it is there."""
        if not (folder / name).is_file():
            return None
        with np.load(folder / name) as data:
            return SpriteAtlas(data["sprites"][None], SPRITE_SETS[:1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--icons", type=Path, required=True, help="node_modules that holds @iconify-json")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sets", nargs="*", default=list(SPRITE_SETS))
    parser.add_argument("--size", type=int, default=ATLAS_SIZE)
    parser.add_argument("--name", help="of the file, where a single set is rendered (default: sprites-SET.npz)")
    args = parser.parse_args()
    if args.name and len(args.sets) != 1:
        raise TrainingError("--name is for one set", "give one by --sets")
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.sets:
        sprites = render_set(args.icons / "@iconify-json" / name, args.size)
        file = args.out / (args.name or f"sprites-{name}.npz")
        with written_whole(file) as temporary:
            np.savez_compressed(temporary, sprites=sprites)
        print(f"{file}: {sprites.shape}, {file.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
