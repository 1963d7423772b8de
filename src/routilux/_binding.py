"""How data by name meets a handler's parameters."""

import inspect
from collections.abc import Callable, Collection, Iterable
from typing import Any

import msgspec

from routilux._records import Data
from routilux.errors import BindingError, listed

_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class Binding(msgspec.Struct, frozen=True):
    """The parameters of a handler: data goes by name, `**kwargs` takes the rest.

    A handler with a single parameter of a name that the data does not have takes the whole dict in it. So does a
    builtin such as `len` or `print`, which takes it by position.
    """

    label: str
    names: frozenset[str]
    required: frozenset[str]
    open_ended: bool
    single: str | None
    by_position: bool = False

    @property
    def takes(self) -> tuple[frozenset[str], frozenset[str], bool]:
        """All that decides which data fits."""
        return self.names, self.required, self.open_ended

    def bind(self, data: Data) -> Data:
        """The keyword arguments for this data; BindingError where it does not fit."""
        given = data.keys()
        if given == self.names or (self.open_ended and self.required <= given):
            return data
        if self.single is not None and self.single not in given and (data or self.required):
            return {self.single: data}
        if self.required <= given <= self.names:
            return data
        raise self._misfit(set(given))

    def _misfit(self, given: set[str]) -> BindingError:
        missing, extra = sorted(self.required - given), sorted(() if self.open_ended else given - self.names)
        problems = []
        if missing:
            problems.append(f"lacks {listed(missing)}")
        if extra:
            problems.append(f"has no place for {listed(extra)}")
        return BindingError(
            f"data with {listed(sorted(given)) if given else 'nothing'} does not fit {self.label}"
            f"({', '.join(sorted(self.names))}{', **kwargs' if self.open_ended else ''}): it "
            f"{' and '.join(problems)}; emit or deliver what it takes, connect with param_mapping, or give it **kwargs",
            missing=missing,
            extra=extra,
        )

    def can_rename(self, names: Iterable[str], *, whole: bool = True) -> bool:
        """Whether data that does not fit would, if some of its names were others; what is not whole may get more."""
        given = set(names)
        strangers, free, missing = given - self.names, self.names - given, self.required - given
        return (not whole or len(missing) <= len(strangers)) and (self.open_ended or len(strangers) <= len(free))

    def renaming(self, names: Iterable[str]) -> dict[str, str] | None:
        """The one change of a name with which such data would fit; None where there are several, or none."""
        given = set(names)
        strangers, wanted = given - self.names, (self.required - given) or (self.names - given)
        return dict(zip(strangers, wanted, strict=True)) if len(strangers) == len(wanted) == 1 else None

    def strangers(self, names: Iterable[str]) -> list[str]:
        """Which of these names are none of a parameter's."""
        return [] if self.open_ended else [name for name in names if name not in self.names]

    def refusals(self, names: Iterable[str]) -> list[str]:
        """Which of these names no data could ever bring into this handler."""
        return [] if self.single is not None else self.strangers(names)


def binding_of(handler: Callable[..., Any], label: str) -> Binding:
    """Read a handler's signature once; BindingError where no data by name could ever be bound to it."""
    try:
        parameters = list(inspect.signature(handler).parameters.values())
    except (TypeError, ValueError) as error:
        raise BindingError(f"the parameters of {label} cannot be read: {error}; wrap it in a method") from error
    required_by_position = [p.name for p in parameters if p.kind is p.POSITIONAL_ONLY and p.default is p.empty]
    if inspect.isbuiltin(handler) and len(required_by_position) <= 1:
        return Binding(label, frozenset(), frozenset(), True, None, True)
    if required_by_position:
        raise BindingError(
            f"{label} takes {listed(required_by_position)} by position only; data is given by name: "
            f"drop the '/' from its parameters"
        )
    named = [p for p in parameters if p.kind in _BY_NAME]
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return binding_by_name(
        label, [p.name for p in named], [p.name for p in named if p.default is p.empty], open_ended=open_ended
    )


def binding_by_name(label: str, names: Collection[str], required: Iterable[str], *, open_ended: bool) -> Binding:
    """The binding of a handler that takes these names, of which it needs some, and perhaps all others."""
    single = next(iter(names)) if len(names) == 1 and not open_ended else None
    return Binding(label, frozenset(names), frozenset(required), open_ended, single)
