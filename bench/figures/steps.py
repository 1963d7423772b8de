"""What one activation costs."""

import tracemalloc
from collections.abc import Callable

from bench import floors
from bench.effort import Effort
from bench.least_engine import LeastChain
from bench.outcome import Outcome, at_most_times, at_most_times_in_all, below
from bench.pairs import Pairs, in_pairs, in_processes, seconds
from bench.workloads import chain_flow, fan_out_flow, finish, paused_with, ring_flow
from routilux import Flow


def chain(effort: Effort) -> Outcome:
    """One activation in a chain of 1,000 no-op routines, history on; floor: the bare loop."""
    return at_most_times_in_all(in_processes(_chain, effort, effort.processes), 9, "us")


def _chain(effort: Effort) -> Pairs:
    length, repeats = 1_000, effort.sized(10)
    with chain_flow(length) as flow:
        return in_pairs(
            lambda: floors.bare_step(length * repeats),
            lambda: _step(flow, "step_0", {"left": 0}, length, repeats),
            effort.pairs,
        )


def chain_beside_least(effort: Effort) -> Outcome:
    """The same chain; floor: the least loop that leaves the same history, in which nothing can fail, wait or pause."""
    length, repeats = 1_000, effort.sized(10)
    least = LeastChain(length)
    with chain_flow(length) as flow:
        pairs = in_pairs(
            lambda: seconds(lambda: [least.run({"left": 0}) for _ in range(repeats)]) / (length * repeats),
            lambda: _step(flow, "step_0", {"left": 0}, length, repeats),
            effort.pairs,
        )
    return at_most_times(pairs, 2, "us")


def fan_out(effort: Effort) -> Outcome:
    """One activation of a no-op routine that is given 5,000 items at once; floor: the bare loop."""
    return at_most_times_in_all(in_processes(_fan_out, effort, effort.processes), 9, "us")


def _fan_out(effort: Effort) -> Pairs:
    items, repeats = 5_000, effort.sized(3)
    with fan_out_flow() as flow:
        return in_pairs(
            lambda: floors.bare_step(items * repeats),
            lambda: _step(flow, "spread", {"count": items}, items, repeats),
            effort.pairs,
        )


def growth(effort: Effort) -> Outcome:
    """One activation of a job with 200,000 of them; floor: the same in jobs with 2,000."""
    few, many = 2_000, effort.sized(200_000)
    with ring_flow() as flow:
        pairs = in_pairs(
            lambda: _step(flow, "ring", {"left": few - 1}, few, 10),
            lambda: _step(flow, "ring", {"left": many - 1}, many, 1),
            min(effort.pairs, 5),
        )
    return at_most_times(pairs, 1.3, "us")


def _step(flow: Flow, entry: str, params: dict[str, int], steps: int, repeats: int) -> float:
    """Seconds for one step of a job with so many steps, from `execute` to completed; of several jobs in turn."""

    def run() -> None:
        for _ in range(repeats):
            finish(flow.execute(entry, dict(params)))

    return seconds(run) / (steps * repeats)


def memory(effort: Effort) -> Outcome:
    """Memory of a queued task and its history record, by tracemalloc; floor: an entry of the bare queue."""
    items = effort.sized(50_000)
    pairs = in_pairs(
        lambda: _traced(lambda: floors.bare_queue(items)) / items,
        lambda: _traced(lambda: paused_with(items, "small")) / items,
        2,
    )
    return below(pairs, 1024, "bytes")


def _traced(make: Callable[[], object]) -> float:
    """The bytes that stay allocated for what is made."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        made = make()
        after, _ = tracemalloc.get_traced_memory()
        del made
    finally:
        tracemalloc.stop()
    return after - before


STEPS = {
    "chain": chain,
    "chain_beside_least": chain_beside_least,
    "fan_out": fan_out,
    "growth": growth,
    "memory": memory,
}
