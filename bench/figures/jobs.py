"""What whole jobs cost."""

from bench import floors
from bench.effort import Effort
from bench.outcome import Outcome, below, rate_of
from bench.pairs import in_pairs, seconds
from bench.workloads import Sleep, chain_flow, fan_out_flow, finish
from routilux import ExecutionStrategy, Flow


def one_step(effort: Effort) -> Outcome:
    """A job of one step, from `execute` to completed; floor: a question to another thread and its answer."""
    rounds = effort.sized(500)
    first = seconds(_first_job)
    with chain_flow(1) as flow:
        pairs = in_pairs(lambda: floors.hand_over(rounds), lambda: _one_step(flow, rounds), effort.pairs)
    return below(pairs, 0.005, "us", f"of a new flow: {first * 1e6:,.0f} us")


def _first_job() -> None:
    with chain_flow(1) as flow:
        finish(flow.execute("step_0", {"left": 0}))


def _one_step(flow: Flow, rounds: int) -> float:
    def run() -> None:
        for _ in range(rounds):
            finish(flow.execute("step_0", {"left": 0}))

    return seconds(run) / rounds


def jobs(effort: Effort) -> Outcome:
    """Jobs of 3 steps, all started, then all waited for; floor: 3 steps of the bare loop."""
    count = effort.sized(10_000)
    with chain_flow(3) as flow:
        pairs = in_pairs(lambda: 3 * floors.bare_step(3 * count), lambda: _jobs(flow, count), effort.pairs)
    return rate_of(pairs, 25_000, "jobs")


def _jobs(flow: Flow, count: int) -> float:
    def run() -> None:
        started = [flow.execute("step_0", {"left": 0}) for _ in range(count)]
        for job in started:
            finish(job)

    return seconds(run) / count


def async_handlers(effort: Effort) -> Outcome:
    """1,000 async handlers that each wait a second, at once; floor: `asyncio.gather` over 1,000 sleeps."""
    with fan_out_flow(Sleep, ExecutionStrategy.CONCURRENT) as flow:
        pairs = in_pairs(
            lambda: floors.sleepers(1_000, 1.0),
            lambda: seconds(lambda: finish(flow.execute("spread", {"count": 1_000}))),
            min(effort.pairs, 3),
        )
    return below(pairs, 1.2, "s")


JOBS = {"one_step": one_step, "jobs": jobs, "async_handlers": async_handlers}
