"""URLs of stores in messages, where a password has no place."""

import re

_PASSWORDS = re.compile(r"://[^:/@]*:(.+)@|[?&]password=([^&]+)")


def without_password(text: str, url: str) -> str:
    """A text about a URL, without the passwords that this has, whether it can be read or not."""
    for found in _PASSWORDS.finditer(url):
        text = text.replace(found[1] or found[2], "***")
    return text
