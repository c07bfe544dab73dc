"""Illustrated scenes: sprites, procedural settings, masks, captions and exact panoptic ids."""
