"""Draws all pictures: `make pictures`."""

from pathlib import Path

from docs.pictures.scenes import SCENES

for name, scene in SCENES.items():
    Path(__file__).with_name(f"{name}.svg").write_text(scene().svg(), encoding="utf-8")
