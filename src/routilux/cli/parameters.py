"""Data that is typed: parameters by name, or one JSON document."""

from collections.abc import Iterable
from typing import Any

import msgspec
import typer


def read_params(given: Iterable[str]) -> dict[str, Any]:
    """`k=v` as parameters: a value that is JSON is that, else it is text. BadParameter for anything else."""
    params: dict[str, Any] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name or name in params:
            problem = f"{name!r} is given twice" if name in params else f"{each!r} is not like 'name=value'"
            raise typer.BadParameter(problem, param_hint="--param")
        params[name] = _value(name, value)
    return params


def read_data(text: str | None, params: Iterable[str]) -> dict[str, Any]:
    """What is delivered: a JSON object, and parameters beside it. BadParameter for anything else, and for nothing."""
    if text is None and not params:
        raise typer.BadParameter(
            "there is nothing to deliver; give what the handler takes, or --data '{}' for no parameters",
            param_hint="--param",
        )
    data, more = {} if text is None else _object(text), read_params(params)
    if twice := sorted(data.keys() & more.keys()):
        raise typer.BadParameter(f"{twice[0]!r} is in --data too", param_hint="--param")
    return data | more


def _object(text: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(text)
    except ValueError as error:
        raise typer.BadParameter(f"it is no JSON: {error}", param_hint="--data") from error
    if not isinstance(found, dict):
        raise typer.BadParameter('it is no object like {"name": "value"}', param_hint="--data")
    return found


def _value(name: str, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except ValueError:
        if (meant := _ALMOST_JSON.get(text.lower())) is not None:
            raise typer.BadParameter(
                f"{text!r} is no JSON: write {name}={meant}; for a text put it in quotes, as in '{name}=\"{text}\"'",
                param_hint="--param",
            ) from None
        return text


_ALMOST_JSON = (
    dict.fromkeys(("true", "yes", "y", "on"), "true")
    | dict.fromkeys(("false", "no", "n", "off"), "false")
    | dict.fromkeys(("null", "none"), "null")
)
"""What as a text would count as true, whatever it says."""
