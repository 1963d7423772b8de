"""Words that are chosen out of a few, wherever one is given by its name."""

from enum import StrEnum
from typing import TypeVar

from routilux.errors import DefinitionError, listed

Word = TypeVar("Word", bound=StrEnum)


def chosen(words: type[Word], word: Word | str, what: str) -> Word:
    """The word that is meant; DefinitionError, which lists all, where it is none of them."""
    if isinstance(word, words):
        return word
    try:
        return words(word)
    except ValueError as error:
        raise DefinitionError(f"unknown {what} {word!r}; there are: {listed(words)}", name=word, known=words) from error
