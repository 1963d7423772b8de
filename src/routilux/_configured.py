"""What a routine works with besides its data: its configuration, its secrets, and what its host gives it."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Never, Self

from routilux._context import running_activation
from routilux._records import Data, read_data
from routilux._resources import ResourceFactory, Resources
from routilux._secrecy import Secrecy, Secret, is_writable
from routilux._shapes import read_as_document
from routilux._texts import checked_name
from routilux.errors import DefinitionError, MissingResourceError, RoutineStateWarning, listed
from serilux import Serializable, clone_fields, copy_fields
from serilux.errors import DocumentError


class Settings(NamedTuple):
    """What a document says of a routine's configuration and needs."""

    config: Data
    required: tuple[str, ...]
    secrets: dict[str, Secret | None]


class Configured(Serializable):
    """A part of a flow with a configuration, which is data and goes where the flow goes, and with needs of its host."""

    _on_change: Callable[[], None]
    _flow_id: str | None
    _routine_id: str | None
    _config: Data
    _required: tuple[str, ...]
    _secrets: dict[str, Secret | None]
    _resources: Resources
    _secrecy: Secrecy

    def __new__(cls, *arguments: object, **named: object) -> Self:
        """Make what is ours before a constructor runs: a subclass may call `super().__init__()` late, or never.

        Nor is a `__setattr__` of its own called, which may need what its constructor makes.
        """
        made = super().__new__(cls)
        made._have(_on_change=_nothing_to_tell, _flow_id=None, _routine_id=None)
        made._have(_config={}, _required=(), _secrets={}, _resources=Resources(), _secrecy=Secrecy())
        return made

    def _have(self, **attributes: object) -> None:
        """Have attributes from before the constructor on; one by one, as they are found more slowly in a `__dict__`."""
        for name, value in attributes.items():
            object.__setattr__(self, name, value)

    def _join(self, flow_id: str, routine_id: str, resources: Resources, secrecy: Secrecy) -> None:
        """Become part of a flow; its id is known last, since from then on handlers are told not to change it."""
        secrecy.learn_all(self._secrecy, routine_id)
        self._resources, self._secrecy, self._flow_id, self._routine_id = resources, secrecy, flow_id, routine_id

    @property
    def routine_id(self) -> str | None:
        """The id under which the routine is part of a flow, or None."""
        return self._routine_id

    def set_config(self, *unnamed: Never, **config: Any) -> None:
        """Add to the configuration, which is part of the flow's document; what documents cannot carry is refused.

        Values of declared secrets stay in this process.
        """
        if unnamed:
            raise unnamed_values("set_config(", unnamed)
        values = clone_fields(config, "_config")
        secrets = {name: _checked_secret(name, values.pop(name)) for name in self._secrets.keys() & values.keys()}
        if values and running_activation() is not None and self._routine_id is not None:
            report_shared_change(self, "configuration")
        self._config.update(values)
        self._keep(secrets)

    def get_config(self, name: str | None = None, default: Any = None) -> Any:
        """A copy of one configured value or `default`; without a name, of all but the secrets."""
        if name is None:
            return copy_fields(self._config, "_config")
        if name in self._secrets:
            secret = self._secret(name)
            return default if secret is None else secret
        if name not in self._config:
            return default
        return copy_fields({name: self._config[name]}, "_config")[name]

    def declare_secret(self, *names: str) -> None:
        """Declare parts of the configuration, text or bytes, as secrets: each host has to give their values again.

        A secret is set with `set_config`, or is one of the flow's `resources` under its name, and read with
        `get_config`. Documents have its name only. It is redacted where an error is recorded, and data with it in it is
        refused. No job runs or resumes in a flow that lacks one.
        """
        checked = _checked_names(names)
        secrets = {name: _checked_secret(name, self._config[name]) for name in checked if name in self._config}
        self._secrets = {**dict.fromkeys(checked), **self._secrets}
        self._on_change()
        self._config = {name: value for name, value in self._config.items() if name not in secrets}
        self._keep(secrets)

    def _keep(self, secrets: Mapping[str, Secret]) -> None:
        for name, value in secrets.items():
            self._secrecy.learn(self._routine_id or "", name, value)
        self._secrets.update(secrets)

    def _secret(self, name: str) -> Secret | None:
        """The value of a secret, from here or from what the host gives; None where there is none."""
        value = self._secrets[name]
        if value is None and (given := self._resources.name_for(self._routine_id, name)) is not None:
            value = _checked_secret(name, self._resources.get_made(given))
            self._secrecy.learn(self._routine_id or "", name, value)
        return value

    @property
    def declared_secrets(self) -> tuple[str, ...]:
        """The names of what `declare_secret` has declared."""
        return tuple(self._secrets)

    def require(self, *names: str) -> None:
        """Declare what the handlers need from whatever host runs them, such as clients and connections.

        Only the names are part of the flow's document. No job runs or resumes in a flow whose `resources` lack one.
        """
        checked = _checked_names(names)
        self._required = (*self._required, *(name for name in checked if name not in self._required))
        self._on_change()

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

    def _read_settings(self, data: Mapping[str, Any], path: str) -> Settings:
        """What a routine's document says of all this, which may be more than its class does."""
        config = read_data(data.get("_config", {}), f"{path}._config")
        required = _read_names(data.get("_requires", []), f"{path}._requires")
        declared = _read_names(data.get("_secrets", []), f"{path}._secrets")
        return Settings(config, required, _read_secrets((*self._secrets, *declared), config, f"{path}._config"))

    def _take_settings(self, settings: Settings) -> None:
        """Be configured as a document says; secrets that this host has set are kept."""
        self._config = settings.config
        self.require(*settings.required)
        known = {name: value for name, value in self._secrets.items() if value is not None}
        self._secrets = {**settings.secrets, **known}
        self._keep({name: value for name, value in self._secrets.items() if value is not None})

    def _write_needs(self) -> dict[str, Any]:
        needs = {"_requires": list(self._required), "_secrets": list(self._secrets)}
        return {field: names for field, names in needs.items() if names}

    @property
    def _needs_anything(self) -> bool:
        return bool(self._required or self._secrets)

    def _lacks(self) -> dict[str, str]:
        """What was declared and is not given, by name, and what to do about it."""
        resources = {name: lack_of(name) for name in self._required if not self._is_given(name)}
        secrets = {name: lack for name in self._secrets if (lack := self._lack_of_secret(name))}
        return resources | secrets

    def _is_given(self, name: str) -> bool:
        return self._resources.name_for(self._routine_id, name) is not None

    def _lack_of_secret(self, name: str) -> str:
        """Why a secret cannot be read; one that a factory is still to make counts as given."""
        given = self._resources.name_for(self._routine_id, name)
        if self._secrets[name] is None and given is None:
            return (
                f"it is a secret, which no document has; set it with flow.routines[{self._routine_id!r}]"
                f".set_config({name}=...), or give it with flow.resources[{name!r}] = ..."
            )
        try:
            if given is None or not isinstance(self._resources[given], ResourceFactory):
                self._secret(name)
        except DefinitionError as error:
            return str(error)
        return ""


def _nothing_to_tell() -> None:
    pass


def lack_of(name: str) -> str:
    """That something is not given here, and how to give it."""
    return f"this flow is not given {name!r}; give it with flow.resources[{name!r}] = ..., or Flow(resources=...)"


def _checked_secret(name: str, value: object) -> Secret:
    if isinstance(value, str | bytes) and value and is_writable(value):
        return value
    if isinstance(value, str | bytes) and not value:
        raise DefinitionError(f"the secret {name!r} is empty; give what it is, or do not declare it")
    kind = f"a {type(value).__name__}, and not one with something in it that can be written"
    raise DefinitionError(f"the secret {name!r} has to be text or bytes; it is {kind}; give what is more as a resource")


def _read_secrets(names: Iterable[str], config: Data, path: str) -> dict[str, Secret | None]:
    """The secrets of a document, with the values that one from before they were declared may still have."""
    with read_as_document(path):
        return {name: _checked_secret(name, config.pop(name)) if name in config else None for name in names}


def _read_names(document: Any, path: str) -> tuple[str, ...]:
    """What a document says that is needed; DocumentError where that is no list of names."""
    if type(document) is not list:
        raise DocumentError(f"a list of names is expected, not {type(document).__name__}", path)
    with read_as_document(path):
        return _checked_names(document)


def _checked_names(names: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(checked_name(name, "what is needed") for name in names))


def unnamed_values(call: str, unnamed: tuple[object, ...]) -> DefinitionError:
    """The error for values without a name: the parameters that a handler is called with, and settings, have one."""
    given = unnamed[0]
    advice = "to give a dict by its keys, put ** before it" if type(given) is dict else "give each with its name"
    return DefinitionError(
        f"{call}...) takes values by name, {call}name=value), not a {type(given).__name__}: {advice}"
    )


def report_shared_change(routine: Configured, what: str) -> None:
    """Warn of a handler that changes what it shares with all jobs of its flow."""
    warnings.warn(
        f"{what} of {routine!r} is set inside a handler: the routine is shared by all jobs of its flow, "
        f"and what is set is in no JobState; use get_execution_context().state or job_state.shared_data",
        RoutineStateWarning,
        stacklevel=3,
    )
