"""What a routine works with besides its data: its configuration, and what its host gives it."""

import warnings
from typing import Any

from routilux._context import running_activation
from routilux._records import Data
from routilux._resources import Resources
from routilux.errors import DefinitionError, MissingResourceError, RoutineStateWarning, listed
from serilux import Serializable, clone_fields, copy_fields
from serilux.errors import DocumentError


class Configured(Serializable):
    """A part of a flow with a configuration, which is data and goes where the flow goes, and with needs of its host."""

    def __init__(self) -> None:
        super().__init__()
        self._flow_id: str | None = None
        self._routine_id: str | None = None
        self._config: Data = {}
        self._required: tuple[str, ...] = ()
        self._resources = Resources()

    def _join(self, flow_id: str, routine_id: str, resources: Resources) -> None:
        """Become part of a flow; its id is known last, since from then on handlers are told not to change it."""
        self._resources, self._flow_id, self._routine_id = resources, flow_id, routine_id

    @property
    def routine_id(self) -> str | None:
        """The id under which the routine is part of a flow, or None."""
        return self._routine_id

    def set_config(self, **config: Any) -> None:
        """Add to the configuration, which is part of the flow's document; what documents cannot carry is refused."""
        values = clone_fields(config, "_config")
        if running_activation() is not None and self._routine_id is not None:
            report_shared_change(self, "configuration")
        self._config.update(values)

    def get_config(self, name: str | None = None, default: Any = None) -> Any:
        """A copy of one configured value or `default`; without a name, of all."""
        if name is None:
            return copy_fields(self._config, "_config")
        if name not in self._config:
            return default
        return copy_fields({name: self._config[name]}, "_config")[name]

    def require(self, *names: str) -> None:
        """Declare what the handlers need from whatever host runs them, such as clients and connections.

        Only the names are part of the flow's document. No job runs or resumes in a flow whose `resources` lack one.
        """
        checked = _checked_names(names)
        self._required = (*self._required, *(name for name in checked if name not in self._required))

    @property
    def required_resources(self) -> tuple[str, ...]:
        """The names of what `require` has declared."""
        return self._required

    def get_resource(self, name: str) -> Any:
        """What the host gives under a name that was declared; the very object, which jobs and threads share.

        DefinitionError for a name that was not declared, MissingResourceError where there is none any more.
        """
        if name not in self._required:
            raise DefinitionError(
                f"{self!r} has not declared that it needs {name!r}; call self.require({name!r}) in its constructor, "
                f"so that it is asked for before a job runs; it has declared: {listed(self._required)}",
                name=name,
                known=self._required,
            )
        given = self._resources.name_for(self._routine_id, name)
        if given is None:
            raise MissingResourceError(f"{self!r}: {lack_of(name)}", [name])
        return self._resources.get_made(given)

    def _lacks(self) -> list[str]:
        """What was declared and is not given."""
        return [name for name in self._required if self._resources.name_for(self._routine_id, name) is None]


def lack_of(name: str) -> str:
    """That something is not given here, and how to give it."""
    return f"this flow is not given {name!r}; give it with flow.resources[{name!r}] = ..., or Flow(resources=...)"


def read_names(document: Any, path: str) -> tuple[str, ...]:
    """What a document says that is needed; DocumentError where that is no list of names."""
    if type(document) is not list:
        raise DocumentError(f"a list of names is expected, not {type(document).__name__}", path)
    try:
        return _checked_names(document)
    except DefinitionError as error:
        raise DocumentError(str(error), path) from error


def _checked_names(names: Any) -> tuple[str, ...]:
    for name in names:
        if type(name) is not str or not name:
            raise DefinitionError(f"what is needed has a name, not {name!r}")
    return tuple(dict.fromkeys(names))


def report_shared_change(routine: Configured, what: str) -> None:
    """Warn of a handler that changes what it shares with all jobs of its flow."""
    warnings.warn(
        f"{what} of {routine!r} is set inside a handler: the routine is shared by all jobs of its flow, "
        f"and what is set is in no JobState; use get_execution_context().state or job_state.shared_data",
        RoutineStateWarning,
        stacklevel=3,
    )
