"""What processes do that run jobs of one id, one after the other."""

from routilux import Flow, OwnershipLost, Routine
from routilux.stores import open_store
from serilux import register_serializable
from tests.crashes.hosts import Announce
from tests.crashes.millers import End, ending

ORDER_ID = "order-17"


@register_serializable(name="CrashesClerk")
class Clerk(Routine):
    """Logs for whom it works, in two steps."""

    def __init__(self) -> None:
        super().__init__()
        self.define_slot("trigger", handler=self.begin)
        self.define_slot("rest", handler=self.end)
        self.define_event("on", ["customer"])

    def begin(self, customer: str) -> None:
        self._log(f"begun for {customer}")
        self.emit("on", customer=customer)

    def end(self, customer: str) -> None:
        self._log(f"ended for {customer}")

    def _log(self, entry: str) -> None:
        self.get_execution_context().job_state.append_to_shared_log(entry)


def clerk() -> Flow:
    """The flow."""
    flow = Flow("clerk")
    flow.add_routine(Clerk(), "clerk")
    flow.connect("clerk", "on", "clerk", "rest")
    return flow


def serve(announce: Announce, url: str, customer: str, end: End) -> None:
    """Run the job of a customer under the id that all of them have, and say what becomes of it."""
    with open_store(url) as store, clerk() as flow:
        store.ledger.reached = ending(end)
        try:
            job_state = flow.execute("clerk", {"customer": customer}, store=store, job_id=ORDER_ID, durability="strict")
            announce(f"{job_state.wait(60)} {job_state.status}")
        except OwnershipLost as error:
            announce(f"lost {error}")
