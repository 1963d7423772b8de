"""A corpus of edits: a flow, a job of it that was cut somewhere, and the flow that its code has become.

Each says what a check has to find, and how the job ends when it really goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from routilux import ErrorHandler, Flow, JobState, Plan, Routine
from routilux._verdict import Fit
from serilux import register_serializable

FITS, NEEDS_PLAN, BREAKS = Fit.FITS, Fit.NEEDS_PLAN, Fit.BREAKS


def pairs(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """A merge function that keeps all that it is given, as lists, too."""
    return {"n": [*old.get("n", []), new["n"]]}


def totals(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The same, under another name."""
    return {"total": [*old.get("total", []), new["total"]]}


def two(data: dict[str, Any]) -> bool:
    """A predicate: two values have come."""
    return len(data.get("n", data.get("total", ()))) == 2


def three(data: dict[str, Any]) -> bool:
    """A predicate: three values have come."""
    return len(data.get("n", data.get("total", ()))) == 3


@register_serializable
class EditedStep(Routine):
    """A routine whose handlers log what they are given; which slots call which of them is up to its flow."""

    def __init__(self) -> None:
        super().__init__()
        self.define_event("out")
        self.define_event("more")

    def log(self, what: str, **data: Any) -> None:
        context = self.get_execution_context()
        context.job_state.append_to_shared_log([context.routine_id, what, data])

    def start(self, count: int = 2) -> None:
        for n in range(count):
            self.emit("out", n=n)

    def work(self, n: int) -> None:
        self.log("work", n=n)
        self.emit("out", n=n)

    def other(self, n: int) -> None:
        self.log("other", n=n)

    def total(self, total: int) -> None:
        self.log("total", total=total)

    def total_unit(self, total: int, unit: str = "kg") -> None:
        self.log("total", total=total, unit=unit)

    def nothing(self) -> None:
        self.log("nothing")

    def unit(self, n: int, unit: str) -> None:
        self.log("unit", n=n, unit=unit)

    def unit_or_kg(self, n: int, unit: str = "kg") -> None:
        self.log("unit", n=n, unit=unit)

    def anything(self, **data: Any) -> None:
        self.log("anything", **data)

    def count(self, n: int) -> None:
        state = self.get_execution_context().state
        state["seen"] = state.get("seen", 0) + 1
        self.log("count", seen=state["seen"])

    def fail_first(self, n: Any) -> None:
        if self.get_execution_context().attempt == 1:
            raise ArithmeticError("the first attempt fails")
        self.log("retried", n=n)

    def fail_always(self, n: Any) -> None:
        raise ArithmeticError("it always fails")

    def ask(self) -> None:
        self.expect("answer")

    def send_and_ask(self) -> None:
        self.emit("out", n=0)
        self.expect("answer")

    def announce(self, n: int) -> None:
        self.log("announced", n=n)
        self.emit("out", total=n)

    def hear(self, n: int) -> None:
        self.log("heard", n=n)


@register_serializable
class EditedRobot(EditedStep):
    """Another class with the same handlers."""


Slots = dict[str, Any]


def shape(*links: str, flow_id: str = "edited", **routines: Any) -> Callable[..., Flow]:
    """What builds a flow: of each routine its slots (`input="work"`, or `input=("work", {options})`); links `a.x>b.y`.

    A routine may be given with its class, and what is to be done with it.
    """

    def build(**settings: Any) -> Flow:
        flow = Flow(flow_id, **settings)
        for name, given in routines.items():
            made = given if isinstance(given, Made) else Made(given)
            routine = made.cls()
            for slot, said in made.slots.items():
                handler, options = said if isinstance(said, tuple) else (said, {})
                routine.define_slot(slot, None if handler is None else getattr(routine, handler), **options)
            made.then(routine)
            flow.add_routine(routine, name)
        for link in links:
            source, target = link.split(">")
            flow.connect(*source.split("."), *target.split("."))
        return flow

    return build


def as_it_is(routine: Routine) -> None:
    pass


@dataclass(frozen=True)
class Made:
    """A routine of a flow: its slots, its class, and what else is done with it."""

    slots: Slots
    cls: type[EditedStep] = EditedStep
    then: Callable[[Routine], None] = as_it_is


def retrying(routine: Routine) -> None:
    routine.set_error_handler(ErrorHandler("retry", max_retries=2, retry_delay=5.0))


def once(routine: Routine) -> None:
    routine.set_effects("at_most_once")


def nothing_more(flow: Flow, job_state: JobState) -> None:
    pass


def answered(slot: str) -> Callable[[Flow, JobState], None]:
    """Deliver to a routine `asker`."""
    return lambda flow, job_state: flow.deliver(job_state, "asker", slot, {"n": 7})


@dataclass(frozen=True)
class Edit:
    """An edit: the flow `old` became `new` while a job was paused, `steps` activations after its start.

    `fit` is the verdict without a plan, on `problems` many problems; with `plan` the job goes on, if there is one.
    `hint` is what a check hints at where it knows the old flow, `notes` are parts of what it notes then; where it does
    not know that, it finds `unknown`, if that is something else. When the job goes on, `then` is done with it; it ends
    with this `log` after what was logged before the cut.
    """

    old: Callable[..., Flow]
    new: Callable[..., Flow]
    fit: Fit
    steps: int = 1
    problems: int = 0
    unknown: tuple[Fit, int] | None = None
    plan: Plan | None = None
    hint: Plan | None = None
    notes: tuple[str, ...] = ()
    log: list[Any] = field(default_factory=list)
    then: Callable[[Flow, JobState], None] = nothing_more


SOURCE: Slots = {"trigger": "start"}
OLD = shape("source.out>worker.input", source=SOURCE, worker={"input": "work"})
WORKED = [["worker", "work", {"n": 0}], ["worker", "work", {"n": 1}]]


def worker(**slots: Any) -> Callable[..., Flow]:
    """The old flow with a worker that has one other slot."""
    (slot,) = slots
    return shape(f"source.out>worker.{slot}", source=SOURCE, worker=slots)


def sink(handler: str = "anything", **options: Any) -> Callable[..., Flow]:
    """A flow with a sink whose slot has options."""
    return shape("source.out>sink.items", source=SOURCE, sink=Made({"items": (handler, options)}, then=retrying))


def first_two(data: dict[str, Any]) -> bool:
    """A predicate: one of two values, under either of its names."""
    return bool(data.get("n", data.get("total")) in (0, 1))


def join(name: str, when: Callable[..., Any], handler: str = "anything") -> Callable[..., Flow]:
    """A flow with a join, which gets one value after each that the worker gets."""
    appending = {"merge_strategy": "append", "when": when}
    return shape(
        f"source.out>{name}.items",
        "source.out>worker.input",
        source=SOURCE,
        worker={"input": "work"},
        **{name: {"items": (handler, appending)}},
    )


def waiting_join(handler: str, answer: str) -> Callable[..., Flow]:
    """A flow with a join, which has one value, and gets the other one when somebody has answered."""
    slots = {"trigger": "send_and_ask", "answer": answer}
    return shape(
        "asker.out>sink.items",
        asker=slots,
        sink={"items": (handler, {"merge_strategy": "append", "when": two})},
    )


APPENDING = sink(merge_strategy="append")
ASKING = shape(asker={"trigger": "ask", "answer": "hear"})
FAILING = shape("source.out>worker.input", source=SOURCE, worker=Made({"input": "fail_first"}, then=retrying))
COUNTING = shape("source.out>worker.input", source=SOURCE, worker={"input": "count"})

EDITS: dict[str, Edit] = {
    "nothing": Edit(OLD, OLD, FITS, log=WORKED),
    "a routine is added": Edit(
        OLD,
        shape(
            "source.out>worker.input",
            "worker.out>new.input",
            source=SOURCE,
            worker={"input": "work"},
            new={"input": "other"},
        ),
        FITS,
        notes=("has another fingerprint",),
        log=[*WORKED, ["new", "other", {"n": 0}], ["new", "other", {"n": 1}]],
    ),
    "a routine that has done its work is gone": Edit(
        OLD,
        shape(worker={"input": "work"}),
        FITS,
        notes=("routine 'source' is completed in this job, and is no part of the flow any more", "leads nowhere now"),
        log=WORKED,
    ),
    "a routine with work to do is renamed": Edit(
        OLD,
        shape("source.out>laborer.input", source=SOURCE, laborer={"input": "work"}),
        NEEDS_PLAN,
        problems=2,
        plan=Plan(routines={"worker": "laborer"}),
        hint=Plan(routines={"worker": "laborer"}),
        log=[["laborer", "work", {"n": 0}], ["laborer", "work", {"n": 1}]],
    ),
    "a routine is renamed that keeps a state": Edit(
        COUNTING,
        shape("source.out>laborer.input", source=SOURCE, laborer={"input": "count"}),
        NEEDS_PLAN,
        steps=2,
        problems=1,
        unknown=(NEEDS_PLAN, 2),
        plan=Plan(routines={"worker": "laborer"}),
        hint=Plan(routines={"worker": "laborer"}),
        log=[["laborer", "count", {"seen": 2}]],
    ),
    "a routine with work to do is gone": Edit(
        OLD,
        shape(source=SOURCE),
        NEEDS_PLAN,
        problems=2,
        plan=Plan(drop=["worker.input"]),
    ),
    "a routine with work to do is gone, and has a successor of another class": Edit(
        OLD,
        shape("source.out>robot.input", source=SOURCE, robot=Made({"input": "work"}, EditedRobot)),
        NEEDS_PLAN,
        problems=2,
        plan=Plan(routines={"worker": "robot"}),
        log=[["robot", "work", {"n": 0}], ["robot", "work", {"n": 1}]],
    ),
    "a slot is renamed": Edit(
        OLD,
        worker(arrivals="work"),
        NEEDS_PLAN,
        problems=2,
        plan=Plan(slots={"worker.input": "arrivals"}),
        hint=Plan(slots={"worker.input": "arrivals"}),
        log=WORKED,
    ),
    "a routine and its slot are renamed": Edit(
        OLD,
        shape("source.out>laborer.arrivals", source=SOURCE, laborer={"arrivals": "work"}),
        NEEDS_PLAN,
        problems=2,
        plan=Plan(routines={"worker": "laborer"}, slots={"worker.input": "arrivals"}),
        log=[["laborer", "work", {"n": 0}], ["laborer", "work", {"n": 1}]],
    ),
    "one of two slots has taken the work of both": Edit(
        shape(
            "source.out>worker.left",
            "source.out>worker.right",
            source=SOURCE,
            worker={"left": "work", "right": "other"},
        ),
        shape("source.out>worker.left", source=SOURCE, worker={"left": "work"}),
        NEEDS_PLAN,
        problems=2,
        plan=Plan(slots={"worker.right": "left"}),
        log=[["worker", "work", {"n": n}] for n in (0, 0, 1, 1)],
    ),
    "a connection leads elsewhere": Edit(
        OLD,
        shape("source.out>other.input", source=SOURCE, worker={"input": "work"}, other={"input": "other"}),
        FITS,
        notes=("2 tasks for worker.input came from source.out, which leads to 'other.input' now",),
        log=WORKED,
    ),
    "a connection leads elsewhere, and what was sent shall follow it": Edit(
        OLD,
        shape("source.out>other.input", source=SOURCE, other={"input": "other"}),
        NEEDS_PLAN,
        problems=2,
        plan=Plan(slots={"worker.input": ("other", "input")}),
        hint=Plan(routines={"worker": "other"}),
        log=[["other", "other", {"n": 0}], ["other", "other", {"n": 1}]],
    ),
    "a connection is gone": Edit(
        OLD,
        shape(source=SOURCE, worker={"input": "work"}),
        FITS,
        notes=("2 tasks for worker.input came from source.out, which leads nowhere now",),
        log=WORKED,
    ),
    "a connection is made before the event is emitted": Edit(
        shape(source=SOURCE, worker={"input": "work"}), OLD, FITS, steps=0, log=WORKED
    ),
    "a handler has another name": Edit(
        OLD,
        worker(input="other"),
        FITS,
        notes=("the handler of worker.input was 'self.work' and is 'self.other'",),
        log=[["worker", "other", {"n": 0}], ["worker", "other", {"n": 1}]],
    ),
    "a parameter is renamed": Edit(
        OLD,
        worker(input="total"),
        NEEDS_PLAN,
        problems=2,
        unknown=(FITS, 0),  # a single parameter takes the whole data
        plan=Plan(parameters={"worker.input": {"n": "total"}}),
        hint=Plan(parameters={"worker.input": {"n": "total"}}),
        log=[["worker", "total", {"total": 0}], ["worker", "total", {"total": 1}]],
    ),
    "a handler takes all data in one parameter, and is meant to": Edit(
        OLD,
        worker(input="total"),
        NEEDS_PLAN,
        problems=2,
        unknown=(FITS, 0),
        plan=Plan(parameters={"worker.input": {}}),
        hint=Plan(parameters={"worker.input": {"n": "total"}}),
        log=[["worker", "total", {"total": {"n": 0}}], ["worker", "total", {"total": {"n": 1}}]],
    ),
    "one of two parameters is renamed": Edit(
        shape("source.out>worker.input", source=SOURCE, worker={"input": "unit_or_kg"}),
        worker(input="total_unit"),
        NEEDS_PLAN,
        problems=2,
        plan=Plan(parameters={"worker.input": {"n": "total"}}),
        hint=Plan(parameters={"worker.input": {"n": "total"}}),
        log=[["worker", "total", {"total": n, "unit": "kg"}] for n in (0, 1)],
    ),
    "a parameter is renamed, and so is the slot": Edit(
        OLD,
        worker(arrivals="total"),
        NEEDS_PLAN,
        problems=2,
        plan=Plan(slots={"worker.input": "arrivals"}, parameters={"worker.input": {"n": "total"}}),
        hint=Plan(slots={"worker.input": "arrivals"}),
        log=[["worker", "total", {"total": 0}], ["worker", "total", {"total": 1}]],
    ),
    "a parameter is added that has to be given": Edit(OLD, worker(input="unit"), BREAKS, problems=2),
    "a parameter is added that has to be given, and the work is dropped": Edit(
        OLD, worker(input="unit"), BREAKS, problems=2, plan=Plan(drop=["worker.input"])
    ),
    "a parameter is added with a default": Edit(
        OLD,
        worker(input="unit_or_kg"),
        FITS,
        log=[["worker", "unit", {"n": 0, "unit": "kg"}], ["worker", "unit", {"n": 1, "unit": "kg"}]],
    ),
    "a parameter is gone": Edit(OLD, worker(input="nothing"), BREAKS, problems=2),
    "a handler takes anything": Edit(
        OLD, worker(input="anything"), FITS, log=[["worker", "anything", {"n": 0}], ["worker", "anything", {"n": 1}]]
    ),
    "a slot that appends has a handler with another parameter": Edit(
        APPENDING,
        sink("total", merge_strategy="append"),
        FITS,  # the old handler took anything, so that nothing is known to have been taken by name
        steps=2,
        plan=Plan(parameters={"sink.items": {"n": "total"}}),
        log=[["sink", "total", {"total": [0, 1]}]],
    ),
    "a slot that appends has a handler with other parameters": Edit(
        sink("unit_or_kg", merge_strategy="append"),
        sink("total_unit", merge_strategy="append"),
        NEEDS_PLAN,
        steps=2,
        problems=1,
        plan=Plan(parameters={"sink.items": {"n": "total"}}),
        hint=Plan(parameters={"sink.items": {"n": "total"}}),
        log=[["sink", "total", {"total": [0, 1], "unit": "kg"}]],
    ),
    "a slot appends that has data of another shape": Edit(
        sink(),
        APPENDING,
        BREAKS,
        steps=2,
        problems=1,
        plan=Plan(forget=["sink.items"]),
        log=[["sink", "anything", {"n": [1]}]],
    ),
    "a slot appends that has had no data": Edit(
        sink(),
        APPENDING,
        FITS,
        notes=("the merge_strategy of sink.items was 'override' and is 'append'",),
        log=[["sink", "anything", {"n": [0]}], ["sink", "anything", {"n": [0, 1]}]],
    ),
    "a slot appends no more": Edit(
        APPENDING,
        sink(),
        FITS,
        steps=2,
        notes=("what has come so far, 'n', is replaced by what comes next",),
        log=[["sink", "anything", {"n": 1}]],
    ),
    "a slot appends no more, and a retry has seen what had come": Edit(
        sink("fail_first", merge_strategy="append"),
        sink("fail_first"),
        BREAKS,
        steps=2,
        problems=1,
        plan=Plan(forget=["sink.items"]),
        log=[["sink", "retried", {"n": 0}], ["sink", "retried", {"n": 1}]],
    ),
    "a slot appends, and a retry has merged what came": Edit(
        sink("fail_first"),
        sink("fail_first", merge_strategy="append"),
        BREAKS,
        steps=2,
        problems=2,
        plan=Plan(forget=["sink.items"]),
        log=[["sink", "retried", {"n": [1, 0]}], ["sink", "retried", {"n": [1]}]],
    ),
    "a slot appends, and all that came is dropped": Edit(
        sink("fail_first"),
        sink(merge_strategy="append"),
        BREAKS,
        steps=2,
        problems=2,
        plan=Plan(drop=["sink.items"]),
    ),
    "a slot that appended merges by a function": Edit(
        APPENDING,
        sink(merge_strategy=pairs),
        FITS,
        steps=2,
        notes=("is the old data that the function is given next",),
        log=[["sink", "anything", {"n": [0, 1]}]],
    ),
    "a join waits for one more": Edit(
        join("sink", two),
        join("sink", three),
        FITS,
        steps=2,
        notes=("the when of sink.items was 'tests.laws.edits:two' and is 'tests.laws.edits:three'",),
        log=[["worker", "work", {"n": 1}]],
    ),
    "a join waits for less": Edit(
        join("sink", three),
        join("sink", two),
        FITS,
        steps=2,
        log=[["sink", "anything", {"n": [0, 1]}], ["worker", "work", {"n": 1}]],
    ),
    "a join with data is renamed": Edit(
        join("sink", two),
        join("drain", two),
        NEEDS_PLAN,
        steps=2,
        problems=2,
        plan=Plan(routines={"sink": "drain"}),
        hint=Plan(routines={"sink": "drain"}),
        log=[["drain", "anything", {"n": [0, 1]}], ["worker", "work", {"n": 1}]],
    ),
    "a join has another parameter": Edit(
        join("sink", two, "unit_or_kg"),
        join("sink", two, "total_unit"),
        NEEDS_PLAN,
        steps=2,
        problems=1,
        unknown=(FITS, 0),  # whether its handler ever took what has come so far
        plan=Plan(parameters={"sink.items": {"n": "total"}}),
        hint=Plan(parameters={"sink.items": {"n": "total"}}),
        log=[["sink", "total", {"total": [0, 1], "unit": "kg"}], ["worker", "work", {"n": 1}]],
    ),
    "a join that waits for what has yet to be sent has another parameter": Edit(
        waiting_join("unit_or_kg", "work"),
        waiting_join("total_unit", "announce"),
        NEEDS_PLAN,
        steps=2,
        problems=1,
        unknown=(FITS, 0),
        plan=Plan(parameters={"sink.items": {"n": "total"}}),
        hint=Plan(parameters={"sink.items": {"n": "total"}}),
        log=[["asker", "announced", {"n": 7}], ["sink", "total", {"total": [0, 7], "unit": "kg"}]],
        then=answered("answer"),
    ),
    "a join would take all data in one parameter": Edit(
        waiting_join("unit_or_kg", "work"),
        waiting_join("total", "announce"),
        NEEDS_PLAN,
        steps=2,
        problems=1,
        unknown=(FITS, 0),
        plan=Plan(parameters={"sink.items": {"n": "total"}}),
        hint=Plan(parameters={"sink.items": {"n": "total"}}),
        log=[["asker", "announced", {"n": 7}], ["sink", "total", {"total": [0, 7]}]],
        then=answered("answer"),
    ),
    "a parameter of a join is gone": Edit(
        waiting_join("unit_or_kg", "work"),
        waiting_join("nothing", "hear"),
        BREAKS,
        steps=2,
        problems=1,
        unknown=(FITS, 0),
        plan=Plan(forget=["sink.items"]),
        log=[["asker", "heard", {"n": 7}]],
        then=answered("answer"),
    ),
    "a parameter is renamed for which a slot merges by a function": Edit(
        sink("unit_or_kg", merge_strategy=pairs),
        sink("total_unit", merge_strategy=totals),
        NEEDS_PLAN,
        steps=2,
        problems=1,
        unknown=(FITS, 0),
        plan=Plan(parameters={"sink.items": {"n": "total"}}),
        hint=Plan(parameters={"sink.items": {"n": "total"}}),
        log=[["sink", "total", {"total": [0, 1], "unit": "kg"}]],
    ),
    "a parameter is renamed of a handler that is called when something holds": Edit(
        sink("unit_or_kg", when=first_two),
        sink("total_unit", when=first_two),
        NEEDS_PLAN,
        problems=2,
        unknown=(FITS, 0),
        plan=Plan(parameters={"sink.items": {"n": "total"}}),
        hint=Plan(parameters={"sink.items": {"n": "total"}}),
        log=[["sink", "total", {"total": n, "unit": "kg"}] for n in (0, 1)],
    ),
    "a slot with accumulated data is renamed": Edit(
        APPENDING,
        shape("source.out>sink.all", source=SOURCE, sink={"all": ("anything", {"merge_strategy": "append"})}),
        NEEDS_PLAN,
        steps=2,
        problems=2,
        plan=Plan(slots={"sink.items": "all"}),
        hint=Plan(slots={"sink.items": "all"}),
        log=[["sink", "anything", {"n": [0, 1]}]],
    ),
    "a slot has no handler any more": Edit(
        OLD,
        shape("source.out>worker.arrivals", source=SOURCE, worker={"input": None, "arrivals": "other"}),
        NEEDS_PLAN,
        problems=2,
        plan=Plan(slots={"worker.input": "arrivals"}),
        log=[["worker", "other", {"n": 0}], ["worker", "other", {"n": 1}]],
    ),
    "a slot that waits for a delivery is renamed": Edit(
        ASKING,
        shape(asker={"trigger": "ask", "reply": "hear"}),
        NEEDS_PLAN,
        problems=1,
        plan=Plan(slots={"asker.answer": "reply"}),
        hint=Plan(slots={"asker.answer": "reply"}),
        log=[["asker", "heard", {"n": 7}]],
        then=answered("reply"),
    ),
    "a slot that waits for a delivery is gone": Edit(
        ASKING, shape(asker={"trigger": "ask"}), NEEDS_PLAN, problems=1, plan=Plan(drop=["asker.answer"])
    ),
    "a routine is renamed whose retry waits": Edit(
        FAILING,
        shape("source.out>laborer.input", source=SOURCE, laborer=Made({"input": "fail_first"}, then=retrying)),
        NEEDS_PLAN,
        steps=3,
        problems=2,
        unknown=(NEEDS_PLAN, 3),
        plan=Plan(routines={"worker": "laborer"}),
        hint=Plan(routines={"worker": "laborer"}),
        log=[["laborer", "retried", {"n": 0}], ["laborer", "retried", {"n": 1}]],
    ),
    "the policy of a routine whose retry waits allows no more": Edit(
        FAILING,
        shape("source.out>worker.input", source=SOURCE, worker={"input": "fail_first"}),
        FITS,
        steps=3,
        log=[["worker", "retried", {"n": 0}], ["worker", "retried", {"n": 1}]],
    ),
    "a routine is of another class": Edit(
        OLD,
        shape("source.out>worker.input", source=SOURCE, worker=Made({"input": "work"}, EditedRobot)),
        FITS,
        notes=("routine 'worker' was a 'EditedStep' and is a 'EditedRobot'",),
        log=WORKED,
    ),
    "a routine's effects must not be repeated any more": Edit(
        OLD,
        shape("source.out>worker.input", source=SOURCE, worker=Made({"input": "work"}, then=once)),
        FITS,
        notes=("the effects of routine 'worker' were 'repeatable' and are 'at_most_once'",),
        log=WORKED,
    ),
    "two routines have changed places": Edit(
        shape("source.out>a.input", source=SOURCE, a={"input": "work"}, b={"input": "other"}),
        shape("source.out>b.input", source=SOURCE, b={"input": "work"}, a={"input": "other"}),
        FITS,  # nobody can know; the notes say what has changed
        plan=Plan(routines={"a": "b", "b": "a"}),
        notes=("the handler of a.input was 'self.work' and is 'self.other'", "which leads to 'b.input' now"),
        log=[["b", "work", {"n": 0}], ["b", "work", {"n": 1}]],
    ),
    "the flow is another": Edit(
        OLD,
        shape("source.out>worker.input", flow_id="other", source=SOURCE, worker={"input": "work"}),
        BREAKS,
        problems=1,
    ),
}
