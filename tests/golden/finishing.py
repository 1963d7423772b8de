"""How a golden job is brought to its end, and what is to be seen of it then, in words that no format changes."""

from typing import Any

from routilux import Flow, JobState
from routilux._backends.backend import Backend
from routilux._core.graph_document import read_definition
from routilux.errors import RoutiluxError
from routilux.stores import Store
from routilux.stores.job_view import view_of
from routilux.testing import StepRunner, VirtualClock
from serilux import encode

START = 1_700_000_000.0
Step = list[Any]


class Stage(StepRunner):
    """Where golden jobs run: without threads, and by a clock that begins when the job was written.

    `job_id` is the id of the jobs that begin here.
    """

    def __init__(self, at: float = START, job_id: str = "golden") -> None:
        super().__init__(VirtualClock(at))
        self._job_id = job_id

    def new_id(self) -> str:
        """The one id."""
        return self._job_id

    def flow(self) -> Flow:
        """A flow to be read into."""
        return Flow(engine_factory=self.engine)


def finish(stage: Stage, flow: Flow, job_state: JobState, steps: list[Step]) -> None:
    """Do what a story says, and run after each step until nothing goes on by itself."""
    for name, *arguments in steps:
        _STEPS[name](flow, job_state, *arguments)
        stage.run()


def stored_document(backend: Backend, job_id: str, at: float) -> dict[str, Any]:
    """The JobState document that a stored job has at a time, whatever its values are."""
    stored = backend.read(job_id)
    return view_of(stored, read_definition(backend.definition(stored.record.definition))[1], at).document


def finish_stored(store: Store, job_id: str, at: float, steps: list[Step]) -> JobState:
    """Load a job that is stored, and bring it to its end."""
    stage = Stage(at)
    flow, job_state = store.load(job_id, flow=stage.flow)
    job_state._live.now = stage.clock.now
    finish(stage, flow, job_state, steps)
    return job_state


def _refused(flow: Flow, job_state: JobState, verb: str) -> None:
    """Nothing of the kind can be done to the job."""
    try:
        _STEPS[verb](flow, job_state)
    except RoutiluxError:
        return
    raise AssertionError(f"{verb} was not refused")


_STEPS: dict[str, Any] = {
    "resume": lambda flow, job_state: flow.resume(job_state),
    "retry": lambda flow, job_state: flow.retry(job_state),
    "deliver": lambda flow, job_state, *delivery: flow.deliver(job_state, *delivery),
    "resolve": lambda flow, job_state, task_id, outcome: flow.resolve(job_state, task_id, outcome),
    "refused": _refused,
}


def outcome(job_state: JobState) -> dict[str, Any]:
    """What is to be seen of a job, times aside."""
    error = job_state.error
    return {
        "status": str(job_state.status),
        "error": None if error is None else [error.type, error.message],
        "routines": {name: _state(state) for name, state in sorted(job_state.routine_states.items())},
        "history": [
            [record.routine_id, record.event_name, encode(record.data)] for record in job_state.execution_history
        ],
        "shared_data": encode(dict(job_state.shared_data)),
        "shared_log": encode(job_state.shared_log),
        "left": [f"{task['routine_id']}.{task['slot']}" for task in job_state.pending_tasks],
        "pauses": [point["reason"] for point in job_state.pause_points],
    }


def _state(state: dict[str, Any]) -> dict[str, Any]:
    error = state.get("error")
    own = {name: value for name, value in state.items() if name not in ("status", "error")}
    return {
        "status": str(state["status"]),
        "error": None if error is None else [error.type, error.message],
        "state": encode(own),
    }


def unordered(end: dict[str, Any]) -> dict[str, Any]:
    """What may differ where activations run at once aside."""
    return end | {name: sorted(end[name], key=str) for name in ("history", "shared_log")}
