"""What a failure means: `ErrorHandler.decide` returns a decision and never acts."""

from collections.abc import Iterable
from typing import Annotated, Any, assert_never

from msgspec import field

from routilux._choices import chosen
from routilux._model import ErrorStrategy
from routilux._numbers import checked_count, checked_measure
from routilux._records import Decision
from routilux._shapes import MAYBE, Maybe, Number, Shape, Whole, read_as_document, read_fields, said
from routilux._texts import checked_text
from routilux.errors import DefinitionError
from serilux import (
    Serializable,
    current_name,
    exception_names,
    real_module,
    register_serializable,
)
from serilux.errors import DocumentError, UnsupportedValueError

LONGEST_DELAY = 365 * 24 * 3600.0


class ErrorHandlerDocument(Shape):
    """The policy for the failures of a routine, or of a whole flow."""

    type_: Annotated[str, said(const="ErrorHandler")] = field(name="_type")
    strategy: Annotated[str, said(enum=[*ErrorStrategy])] | Maybe = MAYBE
    max_retries: Whole | Maybe = MAYBE
    retry_delay: Number | Maybe = MAYBE
    retry_backoff: Number | Maybe = MAYBE
    retryable_exceptions: list[str] | Maybe = MAYBE
    is_critical: bool | Maybe = MAYBE
    retry_count: Whole | Maybe = MAYBE


@register_serializable
class ErrorHandler(Serializable):
    """The policy for failed activations of a routine, or of a whole flow.

    `strategy` is `stop` (fail the job; the default), `continue` (keep what the failed attempt emitted and go on),
    `skip` (discard it and go on) or `retry`: up to `max_retries` more attempts, the n-th after
    `retry_delay * retry_backoff ** (n - 1)` seconds (a year at most), for exceptions that are one of
    `retryable_exceptions` (classes, qualified names, or plain names of builtin ones) or derive from one; then stop. A
    critical handler never lets a failure pass: `continue` and `skip` mean `stop` for it.

    `retry_count` mirrors the newest retry of any job of the flow; the counts that decide are those of the tasks.

    >>> from routilux import ErrorHandler
    >>> policy = ErrorHandler("retry", max_retries=3, retry_delay=0.5, retryable_exceptions=[ConnectionError])
    >>> [policy.delay_before(retry) for retry in (1, 2, 3)]
    [0.5, 1.0, 2.0]
    >>> policy.decide(ConnectionRefusedError(), attempt=3).strategy.value
    'retry'
    >>> policy.decide(ConnectionRefusedError(), attempt=4).strategy.value
    'stop'
    >>> policy.decide(ValueError(), attempt=1).strategy.value
    'stop'
    """

    def __init__(
        self,
        strategy: ErrorStrategy | str = ErrorStrategy.STOP,
        max_retries: int = 3,
        retry_delay: float = 1.0,
        retry_backoff: float = 2.0,
        retryable_exceptions: Iterable[type[BaseException] | str] = (Exception,),
        is_critical: bool = False,
    ) -> None:
        super().__init__()
        self.strategy = _checked_strategy(strategy)
        self.max_retries = checked_count(max_retries, "max_retries")
        self.retry_delay = checked_measure(retry_delay, "retry_delay")
        self.retry_backoff = checked_measure(retry_backoff, "retry_backoff")
        self.retryable_exceptions = _checked_exceptions(retryable_exceptions)
        self.is_critical = _checked_flag("is_critical", is_critical)
        self.retry_count = 0

    def decide(self, error: BaseException, attempt: int) -> Decision:
        """Say what the failure of a task's `attempt` (the first is 1) with this error means."""
        strategy = _checked_strategy(self.strategy)
        match strategy:
            case ErrorStrategy.STOP:
                return Decision(ErrorStrategy.STOP)
            case ErrorStrategy.CONTINUE | ErrorStrategy.SKIP:
                return Decision(ErrorStrategy.STOP if self.is_critical else strategy)
            case ErrorStrategy.RETRY:
                if attempt > self.max_retries or not self.is_retryable(error):
                    return Decision(ErrorStrategy.STOP)
                return Decision(ErrorStrategy.RETRY, self.delay_before(attempt))
            case _:
                assert_never(strategy)

    def delay_before(self, retry: int) -> float:
        """Seconds before the given retry (the first is 1)."""
        try:
            return min(self.retry_delay * self.retry_backoff ** (retry - 1), LONGEST_DELAY)
        except OverflowError:
            return LONGEST_DELAY

    def is_retryable(self, error: BaseException) -> bool:
        """Whether the error is of a type, by one of its names, that is to be retried."""
        names = {name for base in type(error).__mro__ for name in exception_names(base)}
        return not names.isdisjoint(self.retryable_exceptions)

    def has_retries_left(self) -> bool:
        """Whether a task that has been retried `retry_count` times may fail once more (page: What Gets Recovered)."""
        return self.strategy is not ErrorStrategy.RETRY or self.retry_count < max(self.max_retries, 1)

    def serialize(self) -> dict[str, Any]:
        """The policy as a document; the strategy and the exceptions are names.

        A subclass is refused: it would come back as a plain ErrorHandler.
        """
        if type(self) is not ErrorHandler:
            raise UnsupportedValueError(
                f"a {type(self).__name__} would come back as a plain ErrorHandler; use one of its strategies"
            )
        return {
            "_type": "ErrorHandler",
            "strategy": _checked_strategy(self.strategy).value,
            "max_retries": checked_count(self.max_retries, "max_retries"),
            "retry_delay": checked_measure(self.retry_delay, "retry_delay"),
            "retry_backoff": checked_measure(self.retry_backoff, "retry_backoff"),
            "retryable_exceptions": list(_checked_exceptions(self.retryable_exceptions)),
            "is_critical": _checked_flag("is_critical", self.is_critical),
            "retry_count": checked_count(self.retry_count, "retry_count"),
        }

    def deserialize(self, data: dict[str, Any]) -> None:
        """Read a document; DocumentError names what is wrong with it and leaves this handler as it was."""
        fields = read_fields(data, ErrorHandlerDocument, "")
        if fields.pop("_type") != "ErrorHandler":
            raise DocumentError(f"not an ErrorHandler but a {data['_type']!r}", path="_type")
        retry_count = fields.pop("retry_count", 0)
        with read_as_document(""):
            read = ErrorHandler(**fields)
            read.retryable_exceptions = tuple(map(current_name, read.retryable_exceptions))
            read.retry_count = checked_count(retry_count, "retry_count")
        for name, value in vars(read).items():
            setattr(self, name, value)


def checked_decision(decision: Decision) -> Decision:
    """A decision as it is, or TypeError or DefinitionError for one that a policy of the user's has made wrongly."""
    if not isinstance(decision, Decision):
        raise TypeError(f"a policy decides with a Decision, not with {type(decision).__name__}")
    delay = checked_measure(decision.delay, "the delay of a decision")
    return Decision(_checked_strategy(decision.strategy), min(delay, LONGEST_DELAY))


def qualified_name(cls: type) -> str:
    """The name under which an exception class is stored: its module and qualified name."""
    return f"{real_module(cls.__module__)}.{cls.__qualname__}"


def _checked_strategy(strategy: ErrorStrategy | str) -> ErrorStrategy:
    return chosen(ErrorStrategy, strategy, "error strategy")


def _checked_flag(name: str, value: bool) -> bool:
    if type(value) is not bool:
        raise DefinitionError(f"{name} is True or False, not {value!r}")
    return value


def _checked_exceptions(exceptions: Iterable[type[BaseException] | str]) -> tuple[str, ...]:
    if isinstance(exceptions, str | type) or not isinstance(exceptions, Iterable):
        raise DefinitionError(f"retryable_exceptions is a list of exception classes or names, not {exceptions!r}")
    return tuple(checked_text(_exception_name(each), "a name in retryable_exceptions") for each in exceptions)


def _exception_name(exception: type[BaseException] | str) -> str:
    if isinstance(exception, str):
        return exception if "." in exception else f"builtins.{exception}"
    if isinstance(exception, type) and issubclass(exception, BaseException):
        return qualified_name(exception)
    raise DefinitionError(f"retryable_exceptions holds {exception!r}, which is neither an exception class nor a name")
