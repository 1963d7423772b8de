"""A user's module whose names, errors and data give orders to a terminal, and forge lines."""

from routilux import ErrorHandler, Flow, Routine
from serilux import register_serializable

ORDERS = "\x1b]0;owned\x07\x1b[2J\x1b[31m\u202e\x9b1m"
FORGED = f"{ORDERS}\njob forged of flow 'forged' is completed[red]:smile:"


@register_serializable
class Hostile(Routine):
    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.begin)
        self.define_slot(f"wait{FORGED}", handler=self.hear)
        self.define_slot(f"fail{FORGED}", handler=self.fail)
        self.define_event(f"out{FORGED}", [f"value{FORGED}"])

    def begin(self) -> None:
        job_state = self.get_execution_context().job_state
        job_state.append_to_shared_log(FORGED)
        job_state.shared_data[f"key{FORGED}"] = FORGED
        self.expect(f"wait{FORGED}")
        self.emit(f"out{FORGED}", **{f"value{FORGED}": FORGED})

    def hear(self, **data: object) -> None:
        raise ValueError(f"heard{FORGED}")

    def fail(self, **data: object) -> None:
        raise ValueError(f"failed{FORGED}")


def make_flow() -> Flow:
    made, hostile = Flow(f"hostile[red]:smile:{'x' * 20}"), Hostile()
    made.add_routine(hostile, f"routine{FORGED}")
    hostile.set_error_handler(ErrorHandler("continue"))
    made.connect(f"routine{FORGED}", f"out{FORGED}", f"routine{FORGED}", f"fail{FORGED}")
    return made


flow = make_flow()
strict = make_flow()
strict.routines[f"routine{FORGED}"].set_error_handler(ErrorHandler("stop"))
other = Flow(flow.flow_id)
other.add_routine(Hostile(), f"other{FORGED}")
