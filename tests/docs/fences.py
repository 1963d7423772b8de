"""The blocks of code on a page of Markdown."""

from typing import NamedTuple

from markdown_it import MarkdownIt


class Fence(NamedTuple):
    """A block: the number of its first line of content, its kind (the word behind the fence), and its content."""

    line: int
    kind: str
    content: str


def fences_of(page: str) -> list[Fence]:
    """All blocks of code of a page in their order; one that is only indented has the kind `indented`."""
    tokens = MarkdownIt("commonmark").parse(page)
    return [
        Fence(token.map[0] + 2, token.info.strip() if token.type == "fence" else "indented", token.content)
        for token in tokens
        if token.type in ("fence", "code_block") and token.map is not None
    ]
