"""A routine that sends data on to the first route whose condition holds."""

import inspect
from collections.abc import Callable, Collection, Iterable
from typing import Any, Self

from routilux._records import Data
from routilux.errors import DefinitionError, listed
from routilux.routine import Routine
from serilux import clone_fields, copy_fields, identical, referable, register_serializable, registered_name
from serilux.errors import DocumentError

Condition = Callable[[Data], bool] | Data


@register_serializable
class ConditionalRouter(Routine):
    """Takes data in at `input` (or as an entry, at `trigger`) and emits it on one of its routes.

    A condition is a function of the data, or a dict that matches data with equal values under all of its names. To be
    serialized, a function must be a method of the router's own class, a module-level function or a harmless builtin
    (page: Handler Method Validation). Data for which no condition holds goes to the default route; without one, the
    activation fails.

    >>> from routilux import ConditionalRouter
    >>> router = ConditionalRouter()
    >>> router.add_route("urgent", {"priority": "high"})
    >>> router.set_default_route("normal")
    >>> list(router.events)
    ['urgent', 'normal']
    """

    _serializable_fields = ("routes", "default_route")
    routes: list[list[Any]]
    default_route: str | None

    def __new__(cls, *arguments: object, **named: object) -> Self:
        """Make it one before a constructor runs, as any routine."""
        made = super().__new__(cls, *arguments, **named)
        made._have(routes=[], default_route=None)
        made.define_slot("input", handler=made.route)
        made.define_slot("trigger", handler=made.route)
        return made

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

    def _check_fields(self, values: Data, events: Collection[str]) -> None:
        root = registered_name(type(self))
        routes, default = values.get("routes", []), values.get("default_route")
        if type(routes) not in (list, tuple):
            raise DocumentError(f"routes are a list, not {type(routes).__name__}", f"{root}.routes")
        for index, route in enumerate(routes):
            if problem := _route_problem(route, events):
                raise DocumentError(problem, f"{root}.routes[{index}]")
        if default is not None and (type(default) is not str or default not in events):
            raise DocumentError(_no_event(default, events), f"{root}.default_route")

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


def _route_problem(route: Any, events: Collection[str]) -> str:
    if type(route) not in (list, tuple) or len(route) != 2:
        return "a route is a list of an event's name and a condition"
    event_name, condition = route
    if type(event_name) is not str or event_name not in events:
        return _no_event(event_name, events)
    if not callable(condition) and type(condition) is not dict:
        return f"a condition is a function or a dict, not {type(condition).__name__}"
    return "a condition is answered at once: it cannot be async" if inspect.iscoroutinefunction(condition) else ""


def _no_event(name: object, events: Collection[str]) -> str:
    return f"the router has no event {name!r}; it has: {listed(sorted(events))}"


def _holds(condition: Condition, data: Data) -> bool:
    if callable(condition):
        return bool(condition(copy_fields(data)))
    return all(name in data and identical(data[name], value) for name, value in condition.items())
