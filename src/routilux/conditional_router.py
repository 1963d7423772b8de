"""A routine that sends data on to the first route whose condition holds."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from routilux._records import Data
from routilux.errors import DefinitionError, listed
from routilux.routine import Routine
from serilux import clone_fields, copy_fields, identical, referable, register_serializable

Condition = Callable[[Data], bool] | Data


@register_serializable
class ConditionalRouter(Routine):
    """Takes data in at `input` (or as an entry, at `trigger`) and emits it on one of its routes.

    A condition is a function of the data, or a dict that matches data with equal values under all of its names. To be
    serialized, a function must be a method of the router's own class, a module-level function or a harmless builtin
    (page: Handler Method Validation). Data for which no condition holds goes to the default route; without one, the
    activation fails.
    """

    def __init__(self) -> None:
        super().__init__()
        self.routes: list[list[Any]] = []
        self.default_route: str | None = None
        self.add_serializable_fields(["routes", "default_route"])
        self.define_slot("input", handler=self.route)
        self.define_slot("trigger", handler=self.route)

    def add_route(self, event_name: str, condition: Condition) -> None:
        """Emit on `event_name` what meets the condition and none of the conditions before it."""
        if not callable(condition) and type(condition) is not dict:
            raise DefinitionError(f"the condition of route {event_name!r} is a function or a dict, not {condition!r}")
        if inspect.iscoroutinefunction(condition):
            raise DefinitionError(f"the condition of route {event_name!r} is answered at once: it cannot be async")
        own = condition if callable(condition) else clone_fields(condition, f"routes.{event_name}")
        self._define_route(event_name)
        self.routes.append([event_name, own])
        self._on_change()

    def set_default_route(self, event_name: str) -> None:
        """Emit on `event_name` what meets none of the conditions."""
        self._define_route(event_name)
        self.default_route = event_name

    def _conditions(self) -> Iterable[tuple[str, Callable[..., Any]]]:
        return [(event_name, condition) for event_name, condition in self.routes if callable(condition)]

    def _define_route(self, event_name: str) -> None:
        if event_name not in self.events:
            self.define_event(event_name)

    @referable
    def route(self, **data: Any) -> None:
        """Emit the data on the first route that it may take."""
        for event_name, condition in self.routes:
            if _holds(condition, data):
                self.emit(event_name, **data)
                return
        if self.default_route is None:
            raise ValueError(
                f"no route of {self!r} takes data with the parameters {listed(data)}; add one, or set_default_route"
            )
        self.emit(self.default_route, **data)


def _holds(condition: Condition, data: Data) -> bool:
    if callable(condition):
        return bool(condition(copy_fields(data)))
    return all(name in data and identical(data[name], value) for name, value in condition.items())
