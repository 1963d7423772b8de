"""The flows of the golden documents."""

from typing import Any

from routilux import ErrorHandler, Flow
from tests.golden.cast import (
    VALUES,
    Advert,
    Bank,
    Clerk,
    Courier,
    Desk,
    Keeper,
    Mail,
    NotedFlow,
    Router,
    Scale,
    Shelf,
    Teller,
    is_large,
)


def shop(flow_id: str = "golden-shop", /, **settings: Any) -> Flow:
    """Orders are charged, packed two by two, weighed, advertised, sorted and brought."""
    flow = Flow(flow_id, **settings)
    flow.add_routine(Desk(), "desk")
    flow.add_routine(Bank(), "bank")
    flow.add_routine(Shelf(), "shelf")
    flow.add_routine(Scale(), "scale")
    flow.add_routine(Advert(), "advert")
    flow.add_routine(Courier(), "courier")
    flow.add_routine(_router(), "router")
    flow.add_routine(Mail(), "mail")
    flow.connect("desk", "order", "bank", "order")
    flow.connect("bank", "charged", "shelf", "charged", {"amount": "price"})
    flow.connect("bank", "charged", "scale", "charged", {"amount": "price"})
    flow.connect("bank", "charged", "advert", "charged", priority=-1)
    flow.connect("shelf", "packed", "courier", "packed")
    flow.connect("shelf", "packed", "router", "input")
    flow.connect("router", "large", "mail", "letter")
    return flow


def _router() -> Router:
    router = Router()
    router.add_route("free", router.is_free)
    router.add_route("large", is_large)
    router.add_route("first", {"numbers": [0, 1]})
    router.add_route("any", len)
    router.set_default_route("other")
    return router


def keeping(flow_id: str = "golden-values", /, **settings: Any) -> Flow:
    """Values wherever values can be."""
    flow = Flow(flow_id, **settings)
    keeper = Keeper()
    keeper.set_config(values=VALUES)
    keeper.labels = ["a", "b"]
    flow.add_routine(keeper, "keeper")
    flow.connect("keeper", "kept", "keeper", "all")
    return flow


def concurrent(flow_id: str = "golden-concurrent", /, **settings: Any) -> Flow:
    """Orders are charged at once, and that is all; what fails is decided on by the flow."""
    settings = {"execution_strategy": "concurrent", "max_workers": 3, **settings}
    flow = Flow(flow_id, **settings)
    bank = Bank()
    bank.set_error_handler(None)
    flow.set_error_handler(ErrorHandler("stop"))
    flow.add_routine(Desk(), "desk")
    flow.add_routine(bank, "bank")
    flow.connect("desk", "order", "bank", "order")
    return flow


def counter(flow_id: str = "golden-counter", /, *, bank: str = "bank", **settings: Any) -> Flow:
    """Orders are charged, and that is all, by a bank that was called otherwise before."""
    flow = Flow(flow_id, **settings)
    flow.add_routine(Desk(), "desk")
    flow.add_routine(Bank(), bank)
    flow.connect("desk", "order", bank, "order")
    return flow


def loaded(flow_id: str = "golden-slots", /, **settings: Any) -> Flow:
    """Data waits in the slots of the flow itself."""
    flow = shop(flow_id, **settings)
    flow.routines["bank"].get_slot("order").receive({"number": 7, "amount": 70})
    for number in (8, 9):
        flow.routines["shelf"].get_slot("charged").receive({"number": number, "price": 10})
        flow.routines["scale"].get_slot("charged").receive({"number": number, "price": 10})
    return flow


def noted() -> Flow:
    """A flow of the user's own class, with every setting."""
    flow = NotedFlow("golden-noted", execution_strategy="concurrent", max_workers=2, execution_timeout=90.5)
    flow.note = "made for good"
    flow.add_routine(Advert(), "advert")
    flow.set_error_handler(ErrorHandler("retry", 5, 0.5, 1.5, ("OSError", "builtins.ValueError"), is_critical=True))
    return flow


def equipped() -> Flow:
    """A flow whose handlers need something of their host."""
    flow = Flow("golden-equipped")
    flow.add_routine(Clerk(), "clerk")
    return flow


def secretive() -> Flow:
    """A flow with a secret in its configuration."""
    flow = Flow("golden-secretive")
    flow.add_routine(Teller(), "teller")
    flow.routines["teller"].set_config(key="which is in no document", sender="golden")
    return flow
