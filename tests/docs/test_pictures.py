"""The pictures of the documentation are those that the code draws, and are used."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from docs.pictures.scenes import SCENES

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = DOCS / "pictures"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", SCENES)
def test_a_picture_is_as_its_code_draws_it(name: str) -> None:
    assert (PICTURES / f"{name}.svg").read_text(encoding="utf-8") == SCENES[name]().svg(), "run `make pictures`"


@pytest.mark.parametrize("name", SCENES)
def test_a_picture_is_on_a_page_and_says_in_words_what_it_shows(name: str) -> None:
    pages = [path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md")]
    assert any(f"/{name}.svg)" in page for page in pages)
    title = ElementTree.fromstring(SCENES[name]().svg()).find(f"{SVG}title")
    assert title is not None
    assert len(title.text or "") > 20


def test_no_picture_is_left_over() -> None:
    assert {path.stem for path in PICTURES.glob("*.svg")} == set(SCENES)


@pytest.mark.parametrize("name", SCENES)
def test_nothing_in_a_picture_lies_outside_of_it(name: str) -> None:
    picture = ElementTree.fromstring(SCENES[name]().svg())
    width, height = float(picture.attrib["width"]), float(picture.attrib["height"])
    for box in picture.iter(f"{SVG}rect"):
        x, y = float(box.attrib["x"]), float(box.attrib["y"])
        assert x + float(box.attrib["width"]) <= width
        assert y + float(box.attrib["height"]) <= height
    assert all(float(text.attrib["y"]) <= height for text in picture.iter(f"{SVG}text"))
