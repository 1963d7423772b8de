"""What can go wrong.

SeriluxError
├── UnsupportedValueError (TypeError)      a value that JSON documents cannot carry
├── CycleError (ValueError)                a value that contains itself
├── LimitError (ValueError)                too deep, too large
├── NameConflictError (ValueError)         one name, two classes
├── ConstructorError (TypeError)           a class that cannot be built without arguments
├── DocumentError (ValueError)             a document that does not say what it should
│   ├── UnknownClassError                  it names a class nobody registered here
│   └── CombinedError                      several things are wrong with it
└── CallableReferenceError (ValueError)    a callable that has no name to be found by
    ├── ForeignMethodError                 a method of an object that is not being written
    └── UntrustedReferenceError            a name that documents may not reach
"""

from typing import Final

_SHOWN: Final = 20
"""How many problems the message of a CombinedError spells out."""
_LONGEST: Final = 2_000
"""Characters of a reason, or of a path in a message: a hostile document may say things at whatever length."""


class SeriluxError(Exception):
    """Base of all errors of this package.

    `path` says where in the value or document (`value.items[3].name`), `reason` says what and what to do;
    the message is both. `problems` are all that was found: this error, or those of a CombinedError.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        reason = reason if len(reason) <= _LONGEST else f"{reason[: _LONGEST - 3]}..."
        super().__init__(reason, path)
        self.reason = reason
        self.path = path

    def __str__(self) -> str:
        path, half = self.path, _LONGEST // 2
        if len(path) > _LONGEST:
            path = f"{path[:half]}...{path[-half:]}"
        return f"{path}: {self.reason}" if path else self.reason

    @property
    def problems(self) -> tuple["SeriluxError", ...]:
        """All that is wrong, each with its path."""
        return (self,)

    def under(self, step: str) -> None:
        """Put `step` before the path: called by each container that the error leaves."""
        self.path = step + self.path

    def rooted(self) -> None:
        """Let the path begin with a name: nothing is left that could be put before it. The whole document is `$`."""
        self.path = self.path.removeprefix(".") or "$"

    def without_root(self, root: str) -> None:
        """Drop the root that an inner object put before the path, since it has a place in an outer one now."""
        rest = self.path.removeprefix(root)
        self.path = rest if rest[:1] in ("", ".", "[") else f".{rest}"


class UnsupportedValueError(SeriluxError, TypeError):
    """A value that would not come back equal and of equal type (design law 9)."""


class CycleError(SeriluxError, ValueError):
    """A value that contains itself."""


class LimitError(SeriluxError, ValueError):
    """A value or document beyond the `Limits` in force (design law 8)."""


class NameConflictError(SeriluxError, ValueError):
    """A name in use by two different classes."""


class DocumentError(SeriluxError, ValueError):
    """A document that is not what its place asks for."""


class UnknownClassError(DocumentError):
    """A document that names a class which is not registered here."""


class CombinedError(DocumentError):
    """Several things wrong with one document; `problems` are their errors, `path` is that of the first."""

    def __init__(self, problems: list[SeriluxError], remark: str = "") -> None:
        found = tuple(problem for error in problems for problem in error.problems)
        super().__init__(f"{len(found)} problems {remark}".rstrip(), found[0].path)
        self.args = (found,)
        self._problems = found

    def __str__(self) -> str:
        shown = [f"\n  - {problem}" for problem in self._problems[:_SHOWN]]
        more = len(self._problems) - len(shown)
        return "".join([self.reason, ":", *shown, f"\n  - and {more} more" if more else ""])

    @property
    def problems(self) -> tuple[SeriluxError, ...]:
        """All that is wrong, each with its path."""
        return self._problems

    def under(self, step: str) -> None:
        """Put `step` before the path of each problem."""
        super().under(step)
        for problem in self._problems:
            problem.under(step)

    def rooted(self) -> None:
        """Let the path of each problem begin with a name."""
        super().rooted()
        for problem in self._problems:
            problem.rooted()

    def without_root(self, root: str) -> None:
        """Drop the root before the path of each problem."""
        super().without_root(root)
        for problem in self._problems:
            problem.without_root(root)


class CallableReferenceError(SeriluxError, ValueError):
    """A callable that cannot be written as a name, or a name that leads to none."""


class ForeignMethodError(CallableReferenceError):
    """A bound method of an object other than the one being serialized (page: Handler Method Validation)."""

    def __str__(self) -> str:
        return f"{self.reason}\nFound at: {self.path}" if self.path else self.reason


class UntrustedReferenceError(CallableReferenceError):
    """A reference to something that documents may not reach (design law 8)."""


class ConstructorError(SeriluxError, TypeError):
    """A class that cannot be built without arguments (page: Constructor Requirements).

    `cls_name` and `parameters` are the same facts as the message's.
    """

    def __init__(self, cls_name: str, parameters: tuple[str, ...], path: str = "") -> None:
        super().__init__(
            f"{cls_name} cannot be deserialized because its __init__ method requires\n"
            f"parameters: {', '.join(parameters)}\n"
            "Serializable classes must support initialization with no arguments.\n"
            "For Routine subclasses, use _config dictionary instead of constructor parameters.",
            path,
        )
        self.args = (cls_name, parameters, path)
        self.cls_name = cls_name
        self.parameters = parameters

    def __str__(self) -> str:
        if not self.path:
            return self.reason
        return f"{self.path} ({self.cls_name}) cannot be serialized:\n{self.reason}"
