"""The user's own modules: imported by name, so that their classes are registered, and asked for a flow."""

import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from inspect import isfunction, signature
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import typer

from routilux._places import users_place
from routilux.cli.user_output import users_output
from routilux.errors import listed
from routilux.flow import Flow

RESOURCES = "routilux_resources"


def import_apps(names: Iterable[str] | None, *, as_json: bool) -> None:
    """Import modules, whether or not a flow in them is named; BadParameter where one cannot be."""
    with users_output(as_json=as_json):
        for name in names or ():
            _imported(name.partition(":")[0], "--app")


def import_code(references: Iterable[str] | None, *, as_json: bool) -> list[Flow]:
    """Import modules, and give the flows that are named in them as `module:flow`; BadParameter where one cannot be."""
    names = list(references or ())
    import_apps((name for name in names if ":" not in name), as_json=as_json)
    with users_output(as_json=as_json):
        return [load_flow(name, "--app") for name in names if ":" in name]


def resources_of(names: Iterable[str] | None, hint: str = "--app") -> dict[str, object]:
    """What the modules of these names (or of MODULE:FLOW) give to the handlers of any flow.

    A module says it by `routilux_resources`: a dict by name, or a function without parameters that returns one.
    BadParameter where it is something else.
    """
    given: dict[str, object] = {}
    for name in names or ():
        module = name.partition(":")[0]
        found = getattr(_imported(module, hint), RESOURCES, {})
        what = f"{module}.{RESOURCES}"
        made = _called(found, f"{what}()", hint) if callable(found) else found
        if not isinstance(made, Mapping):
            raise typer.BadParameter(f"{what} gives no dict by name, but a {type(made).__name__}", param_hint=hint)
        given.update(made)
    return given


def load_flow(reference: str, hint: str = "MODULE:FLOW") -> Flow:
    """The flow that `module:name` means: an attribute that is one, or a function without parameters that returns one.

    BadParameter where there is none; `hint` says of which argument.
    """
    name, _, attribute = reference.partition(":")
    if not name or not attribute:
        raise typer.BadParameter(f"{reference!r} is not like 'package.module:flow'", param_hint=hint)
    module = _imported(name, hint)
    if not hasattr(module, attribute):
        raise typer.BadParameter(
            f"module {name!r} has no attribute {attribute!r}; {_what_there_is(module)}", param_hint=hint
        )
    found = getattr(module, attribute)
    made = found if isinstance(found, Flow) or not callable(found) else _called(found, f"{reference}()", hint)
    if not isinstance(made, Flow):
        raise typer.BadParameter(f"{reference!r} is no Flow but {type(made).__name__}", param_hint=hint)
    return made


def _what_there_is(module: ModuleType) -> str:
    """The flows of a module, and the functions of its own that may make one."""
    flows = [name for name, value in vars(module).items() if isinstance(value, Flow)]
    makers = [name for name, value in vars(module).items() if isfunction(value) and _may_make_flow(module, value)]
    functions = f"; functions without parameters: {listed(makers)}" if makers else ""
    return f"its flows are: {listed(flows)}{functions}"


def _may_make_flow(module: ModuleType, function: FunctionType) -> bool:
    required = [each for each in signature(function).parameters.values() if each.default is each.empty]
    named = [each for each in required if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    return function.__module__ == module.__name__ and not named and function.__name__ != RESOURCES


def _imported(name: str, hint: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module: ModuleType = _called(lambda: import_module(name), f"module {name!r}", hint)
    except ModuleNotFoundError as error:
        meant = f"; write {name.removesuffix('.py')!r}" if name.endswith(".py") else ""
        raise typer.BadParameter(
            f"there is no module {name!r}, neither in {here} nor installed{meant}", param_hint=hint
        ) from error
    return module


def _called(make: Callable[[], Any], what: str, hint: str) -> Any:
    """Call users' code; whatever it raises is told in one line, but that the module itself is not there."""
    try:
        return make()
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        if isinstance(error, ModuleNotFoundError) and frames[-1].filename.startswith("<frozen importlib"):
            raise
        place = users_place("".join(traceback.format_list(frames)))
        where = "" if place is None else f" ({place.file}:{place.line})"
        raise typer.BadParameter(f"{what} raised {type(error).__name__}: {error}{where}", param_hint=hint) from error
