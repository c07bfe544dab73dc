"""Reads exported files with programs that are not ours (psd-tools, Pillow, NumPy, zipfile) and compares.

Called by check-formats.ts with a folder that holds scene.psd, scene.ora, scene.png, scene.npy and expected.json.
Prints one JSON object; exits 1 if anything differs.
"""
import io
import json
import sys
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from psd_tools import PSDImage

folder = Path(sys.argv[1])
expected = json.loads((folder / "expected.json").read_text())
report: dict[str, object] = {}
failures: list[str] = []


def check(name: str, good: bool, saw: object) -> None:
    report[name] = saw
    if not good:
        failures.append(name)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Overlap of two soft masks, as shared/masks counts it."""
    either = np.maximum(a, b).astype(np.int64).sum()
    return 1.0 if either == 0 else float(np.minimum(a, b).astype(np.int64).sum() / either)


def on_canvas(image: Image.Image, left: int, top: int, size: tuple[int, int]) -> np.ndarray:
    canvas = Image.new("L", size, 0)
    canvas.paste(image, (left, top))
    return np.asarray(canvas)


size = (expected["width"], expected["height"])
areas = [np.load(folder / name) for name in expected["masks"]]
picture = np.asarray(Image.open(folder / "picture.png").convert("RGB"))

psd = PSDImage.open(folder / "scene.psd")
layers = list(psd)  # psd-tools lists the lowest first
check("psd size", psd.size == size, psd.size)
check("psd layer names, the lowest first", [layer.name for layer in layers] == ["Result", *expected["names"]], [layer.name for layer in layers])
check("psd visibility", [layer.visible for layer in layers[1:]] == expected["visible"], [layer.visible for layer in layers[1:]])
check("psd result layer", np.array_equal(np.asarray(layers[0].topil().convert("RGB")), picture), "pixel for pixel")
overlaps = []
for layer, area in zip(layers[1:], areas):
    if not area.any():
        continue
    mask = layer.mask
    overlaps.append(iou(on_canvas(mask.topil().convert("L"), mask.left, mask.top, size), area))
check("psd mask overlaps", len(overlaps) > 0 and min(overlaps) == 1.0, overlaps)
check("psd merged picture", np.array_equal(np.asarray(psd.topil().convert("RGB")), picture), "pixel for pixel")

with zipfile.ZipFile(folder / "scene.ora") as ora:
    first = ora.infolist()[0]
    check("ora mimetype first and stored", first.filename == "mimetype" and first.compress_type == zipfile.ZIP_STORED and ora.read("mimetype") == b"image/openraster", first.filename)
    check("ora zip is whole", ora.testzip() is None, "crc of each part")
    raw = (folder / "scene.ora").read_bytes()
    check("ora mimetype at byte 38", raw[30:38] == b"mimetype" and raw[38:54] == b"image/openraster", raw[30:54].decode())
    root = ET.fromstring(ora.read("stack.xml"))
    check("ora size", (root.attrib["w"], root.attrib["h"]) == tuple(map(str, size)), root.attrib)
    elements = list(root.find("stack"))[::-1]  # topmost first in the file
    check("ora layer names, the lowest first", [e.attrib["name"] for e in elements] == ["Result", *expected["names"]], [e.attrib["name"] for e in elements])
    check("ora visibility", [e.attrib["visibility"] == "visible" for e in elements[1:]] == expected["visible"], [e.attrib["visibility"] for e in elements[1:]])
    overlaps = []
    for element, area in zip(elements[1:], areas):
        image = Image.open(io.BytesIO(ora.read(element.attrib["src"])))
        alpha = image.convert("RGBA").getchannel("A")
        overlaps.append(iou(on_canvas(alpha, int(element.attrib["x"]), int(element.attrib["y"]), size), area))
    check("ora alpha overlaps", min(overlaps) == 1.0, overlaps)
    merged = Image.open(io.BytesIO(ora.read("mergedimage.png")))
    check("ora merged picture", np.array_equal(np.asarray(merged.convert("RGB")), picture), merged.size)
    thumbnail = Image.open(io.BytesIO(ora.read("Thumbnails/thumbnail.png")))
    check("ora thumbnail at most 256", max(thumbnail.size) <= 256, thumbnail.size)

png = Image.open(folder / "scene.png")
png.load()
check("png parameters", png.text.get("parameters") == expected["parameters"], png.text.get("parameters"))
check("png scene", json.loads(png.text["spatext-scene"])["format"] == "spatext-scene", "parsed")

array = np.load(folder / "scene.npy", allow_pickle=False)
legend = json.loads((folder / "scene.npy.json").read_text())
check("npy labels", array.dtype == np.uint16 and np.array_equal(array, np.asarray(legend["labels"])), [str(array.dtype), array.shape])

report["versions"] = {"psd-tools": __import__("psd_tools").__version__, "Pillow": __import__("PIL").__version__, "numpy": np.__version__}
report["failures"] = failures
print(json.dumps(report, indent=1, default=str, ensure_ascii=False))
sys.exit(1 if failures else 0)
