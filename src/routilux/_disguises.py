"""How a secret may look in documents and in texts. Loaded with the first secret."""

import json
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote, quote_plus


def as_data(value: str | bytes) -> tuple[str, ...]:
    """How a secret is found in text that is data: bytes as the text that they are, too, and as base64."""
    if isinstance(value, str):
        return (value,)
    try:
        return (b64encode(value).decode(), value.decode())
    except UnicodeDecodeError:
        return (b64encode(value).decode(),)


def written(value: str | bytes) -> set[str]:
    """The ways in which a text may have a secret: as it is, quoted, quoted twice, line by line, encoded."""
    content = value.encode() if isinstance(value, str) else value
    texts = {value} if isinstance(value, str) else {content.decode(errors="replace"), repr(content)[2:-1]}
    texts |= {line for text in texts for line in text.splitlines() if len(line) > 3}
    quoted = {form for text in texts for form in _quoted(text)}
    twice = {form for text in quoted for form in _quoted(text)}
    coded = {quote(content), quote(content, safe=""), quote_plus(content), b64encode(content).decode(), content.hex()}
    return {form for form in texts | quoted | twice | coded | {repr(content)[2:-1]} if form}


def _quoted(text: str) -> Iterator[str]:
    """What `repr`, `ascii` and JSON make of a text, as part of a longer one too, whose quotes may be others."""
    for show in (repr, ascii):
        yield show(text)[1:-1]
        yield show(f'"{text}')[2:-1]
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
