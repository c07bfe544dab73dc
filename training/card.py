"""The model card of a pack: data, licences, figures, limits, energy. Written by training.export beside the pack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WATTS_A_CORE = 10.0
"""Assumed draw of one busy core of a server with its share of memory; said in the card."""

TEXT = """# {name}

A SpaText pixel pack for illustrated scenes. Texts go through a frozen sentence encoder (MiniLM), a text head and a
diffusion prior to image embeddings; these fill the spatio-textual map{sketched}; a 64 px decoder (v-prediction,
{parameters:.1f} M parameters) paints, super-resolution enlarges four times{enlarged}.

## Data and licences
593 concepts of four emoji sets (Fluent Emoji flat and 3D, MIT; Noto, Apache-2.0; Twemoji, CC BY 4.0), moved, scaled to
at most 90 % of the picture, turned, mirrored, recoloured and shaded over twenty kinds of settings that this project
draws itself. Sources and authors: NOTICE.md. The weights are under the MIT licence. No photographs, no scraped pictures.

## Training
Decoder: {images:,} pictures seen in all{since}.{sketch}
Machine: {machine}.{energy}
Code and commands: training/README.md of the project; figures of this pack beside the one before: training/RESULTS.md.

## Figures
{figures}

## Limits
It knows illustrated objects and twenty settings; photographs, real faces, writing and actions are outside its world.
Words near a known one in meaning work through the sentence embedding; others give something of the nearest kind.
Insides of small objects are soft, objects below about 2 % of the area are blobs. Two touching segments with the same
words may flow into one. Emoji are not neutral: people appear as the sets draw them.
"""


def write_card(pack: Path, results: Path | None, core_minutes: float | None) -> None:
    """README.md of the pack from its description and, where there is one, an evaluation's results.json."""
    description = json.loads((pack / "pack.json").read_text("utf-8"))
    training: dict[str, Any] = description.get("training", {})
    figures = "Not scored yet: see training/RESULTS.md."
    if results is not None and results.is_file():
        from training.evaluate_world import table

        data = json.loads(results.read_text("utf-8"))
        chosen = {k: v for k, v in data["results"].items() if "," not in k}
        figures = (f"{data['scenes']} held-out scenes from text alone, {data['shapes']} masks, scored by an "
                   f"independent judge (a second, smaller CLIP that trained nothing here).\n\n{table(chosen)}")
    energy = ""
    if core_minutes:
        kwh = core_minutes / 60 * WATTS_A_CORE / 1000
        energy = f" Energy of this run, estimated at {WATTS_A_CORE:.0f} W a busy core: {kwh:.3f} kWh ({core_minutes:.0f} core minutes)."
    drawn = training.get("sketchImages", 0)
    sketch = f" Sketch (each segment drawn once in its own shape, then pasted into the map): {drawn:,} scenes." if drawn else ""
    sketched = ", beside a sketch of each segment" if "sketch" in description["components"] else ""
    enlarged = ", an enlargement four times more" if "enlargement" in description["components"] else ""
    since = f", in {training['decoderSteps']:,} steps" if "decoderSteps" in training else ""
    (pack / "README.md").write_text(TEXT.format(
        name=description["name"], parameters=description["components"]["unet"]["parameters"] / 1e6,
        sketched=sketched, enlarged=enlarged, images=training.get("imagesSeen", 0), since=since, sketch=sketch, machine=training.get("machine", "unknown"), energy=energy,
        figures=figures), "utf-8")
