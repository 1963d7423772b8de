"""Callables are written as names, and only harmless names are read (page: Handler Method Validation)."""

import functools
import os
import sys
import types
from typing import Any
from uuid import uuid4

import pytest

import serilux
from serilux import (
    CallableReferenceError,
    ForeignMethodError,
    Serializable,
    UntrustedReferenceError,
    decode,
    encode,
    referable,
    reference_to,
    register_serializable,
    resolve_reference,
    trust,
)
from serilux._registry import REGISTRY, real_module
from tests.serilux import samples
from tests.serilux.samples import Box, double

HERE = "tests.serilux.samples"


class OtherRoutine(Serializable):
    def process(self) -> None:
        pass

    def _reference_label(self) -> str:
        return "OtherRoutine[other_id]"


class Plain:
    def process(self) -> None:
        pass


def keep(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


class Worker(Serializable):
    shout = len
    size = 5

    def work(self, value: Any) -> Any:
        return ("worked", value)

    @keep
    def wrapped(self, value: Any) -> Any:
        return ("wrapped", value)

    def __call__(self) -> None:
        pass

    def __hidden(self) -> None:
        pass

    @property
    def price(self) -> int:
        raise AssertionError("a property must not run")

    @staticmethod
    def static() -> None:
        pass

    @classmethod
    def build(cls) -> None:
        pass

    def serialize(self) -> dict[str, Any]:
        return super().serialize()


class SpecialWorker(Worker):
    def work(self, value: Any) -> Any:
        return ("special", value)


def test_a_method_of_the_owner_is_named_and_found() -> None:
    worker = Worker()
    assert reference_to(worker.work, worker) == "self.work"
    assert resolve_reference("self.work", worker)(1) == ("worked", 1)
    assert resolve_reference("self.wrapped", worker)(1) == ("wrapped", 1)


def test_a_method_is_that_of_the_most_special_class() -> None:
    worker = SpecialWorker()
    assert resolve_reference(reference_to(worker.work, worker), worker)(1) == ("special", 1)


def test_a_function_is_named_and_found() -> None:
    assert reference_to(double, Box()) == f"{HERE}:double"
    assert resolve_reference(f"{HERE}:double", Box()) is double


def test_harmless_builtins_are_named_and_found() -> None:
    for function in (len, sum, max, print, sorted):
        text = reference_to(function, Box())
        assert text == f"builtins:{function.__name__}"
        assert resolve_reference(text, Box()) is function


def test_a_method_of_another_object_is_refused_in_the_words_of_the_page() -> None:
    text = (
        "Cannot serialize method 'process' from OtherRoutine[other_id].\n"
        "Only methods of the serialized object itself (MyRoutine[my_id])\n"
        "can be serialized for cross-process execution."
    )
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the whole text is compared
        reference_to(OtherRoutine().process, Box(), "MyRoutine[my_id]")
    assert str(caught.value) == text
    assert type(caught.value) is ForeignMethodError


def test_labels_are_class_names_where_an_object_has_no_other() -> None:
    with pytest.raises(ForeignMethodError, match=r"from Plain\.\n.*\(Worker\)"):
        reference_to(Plain().process, Worker())
    with pytest.raises(ForeignMethodError, match=r"\(Box\[box\]\)"):
        reference_to(Plain().process, Box())
    with pytest.raises(ForeignMethodError, match=r"from Box\."):
        reference_to(types.MethodType(local, Box), Box())


def test_a_foreign_method_in_a_field_is_refused_with_its_path_below() -> None:
    box = Box()
    box.check = {"when": [OtherRoutine().process]}
    with pytest.raises(ForeignMethodError) as caught:
        box.serialize()
    assert str(caught.value).startswith("Cannot serialize method 'process' from OtherRoutine[other_id].\n")
    assert str(caught.value).endswith("\nFound at: Box.check.when[0]")


class Callable_:
    def __call__(self) -> None:
        pass


def local() -> None:
    pass


WORKER = Worker()
stray = types.MethodType(local, WORKER)


@pytest.mark.parametrize(
    ("function", "advice"),
    [
        (lambda: None, "top of a module"),
        (samples.nested, "top of a module"),
        (samples.anonymous, "top of a module"),
        (Worker.work, "top of a module"),
        (Worker.static, "top of a module"),
        (serilux.encode, "top of a module"),
        (functools.partial(len), "from a field"),
        (Worker, "wrap the class"),
        (Callable_(), "function defined"),
        (exec, "wrap others"),
        (os.getpid, "wrap others"),
        ([].append, "wrap others"),
        (WORKER.serialize, "public name"),
        (WORKER.add_serializable_fields, "public name"),
        (WORKER._Worker__hidden, "public name"),  # type: ignore[attr-defined]
        (stray, "public name"),
        (types.MethodType(len, WORKER), "public name"),
        (Worker.build, "Only methods"),
        (5, "function defined"),
    ],
)
def test_callables_without_a_name_are_refused_with_advice(function: Any, advice: str) -> None:
    with pytest.raises(CallableReferenceError, match=advice):
        reference_to(function, WORKER)


@pytest.mark.parametrize(
    "text",
    [
        "os:system",
        "os:path",
        "builtins:exec",
        "builtins:eval",
        "builtins:open",
        "builtins:getattr",
        "builtins:__import__",
        "serilux:trust",
        "serilux._registry:trust",
        "routilux:Flow",
        "subprocess:run",
        "not.imported.module:run",
        "self.serialize",
        "self.deserialize",
        "self.add_serializable_fields",
        "self.price",
        "self.static",
        "self.build",
        "self.shout",
        "self.size",
    ],
)
def test_names_that_documents_may_not_reach(text: str) -> None:
    before = set(sys.modules)
    with pytest.raises(UntrustedReferenceError) as caught:
        resolve_reference(text, WORKER, "slots.input.handler")
    assert caught.value.path == "slots.input.handler"
    assert set(sys.modules) == before


@pytest.mark.parametrize(
    "text",
    [
        None,
        5,
        ["self.work"],
        "",
        "work",
        "self.",
        "self.__init__",
        "self.__call__",
        "self.__class__",
        "self.work.__func__",
        "self.wrok",
        "self.self.work",
        "self:work",
        f"{HERE}:",
        f"{HERE}:missing",
        f"{HERE}:number",
        f"{HERE}:alias",
        f"{HERE}:nested",
        f"{HERE}:anonymous",
        f"{HERE}:Box",
        f"{HERE}:Box.accepts",
        f"{HERE}:register_serializable",
        f"{HERE}:dataclass",
        f"{HERE}:double.__globals__",
        f"{HERE}:double:double",
        ":double",
    ],
)
def test_names_that_lead_nowhere(text: Any) -> None:
    with pytest.raises(CallableReferenceError) as caught:
        resolve_reference(text, WORKER, "slots.input.handler")
    assert caught.value.path == "slots.input.handler"


def test_a_close_method_name_is_suggested() -> None:
    with pytest.raises(CallableReferenceError, match="did you mean 'work'"):
        resolve_reference("self.wrok", WORKER)


def test_functions_of_a_module_become_known_by_trust() -> None:
    name = f"trusted_later_{uuid4().hex}"
    module = types.ModuleType(name)
    exec("def run(): return 'ran'", vars(module))
    sys.modules[name] = module
    with pytest.raises(UntrustedReferenceError, match=rf"serilux\.trust\('{name}'\)"):
        resolve_reference(f"{name}:run", WORKER)
    trust(name)
    assert resolve_reference(f"{name}:run", WORKER)() == "ran"
    del sys.modules[name]
    with pytest.raises(CallableReferenceError, match="not imported"):
        resolve_reference(f"{name}:run", WORKER)


@pytest.mark.parametrize("module", ["builtins", "serilux", "serilux._codec", "routilux", "routilux.flow"])
def test_some_modules_are_never_trusted(module: str) -> None:
    with pytest.raises(UntrustedReferenceError, match="never"):
        trust(module)


@pytest.mark.parametrize("module", [None, "", 5])
def test_trust_takes_a_name(module: Any) -> None:
    with pytest.raises(TypeError, match="name of a module"):
        trust(module)


def library_class() -> type[Serializable]:
    """Return a class as the library could ship it."""

    class Router(Serializable):
        @referable
        def route(self) -> str:
            return "routed"

        def inner(self) -> None:
            pass

    Router.__module__ = "routilux.builtin.router"
    return Router


def test_the_library_marks_the_methods_that_documents_may_name() -> None:
    router = library_class()()
    assert reference_to(router.route, router) == "self.route"  # type: ignore[attr-defined]
    assert resolve_reference("self.route", router)() == "routed"
    with pytest.raises(UntrustedReferenceError):
        resolve_reference("self.inner", router)


def test_a_subclass_may_replace_marked_methods_only() -> None:
    class Mine(library_class()):  # type: ignore[misc]
        def route(self) -> str:
            return "mine"

        def inner(self) -> None:
            pass

    assert resolve_reference("self.route", Mine())() == "mine"
    with pytest.raises(UntrustedReferenceError):
        resolve_reference("self.inner", Mine())


def test_registering_a_class_of_the_library_does_not_open_its_module() -> None:
    router = library_class()
    register_serializable(router, name="LibraryRouter")  # type: ignore[call-overload]
    with pytest.raises(UntrustedReferenceError):
        resolve_reference("routilux.builtin.router:anything", WORKER)
    assert not REGISTRY.trusts("routilux.builtin.router")


def test_main_has_its_real_name(monkeypatch: pytest.MonkeyPatch) -> None:
    main = types.ModuleType("__main__")
    main.__spec__ = types.SimpleNamespace(name="my_program.run")  # type: ignore[assignment]
    exec("def step(): return 'stepped'", vars(main))
    monkeypatch.setitem(sys.modules, "__main__", main)
    trust("__main__")
    assert reference_to(main.step, WORKER) == "my_program.run:step"
    assert resolve_reference("my_program.run:step", WORKER) is main.step
    with pytest.raises(UntrustedReferenceError):
        resolve_reference("__main__:step", WORKER)


def test_main_of_a_script_keeps_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    main = types.ModuleType("__main__")
    main.__spec__ = None
    exec("def step(): return 'stepped'", vars(main))
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert reference_to(main.step, WORKER) == "__main__:step"


def test_callables_in_fields_come_back_as_methods_of_the_new_object() -> None:
    box = Box()
    box.check = box.accepts
    box.content = [double, len, {"k": (box.accepts,)}]
    document = box.serialize()
    assert document["check"] == {"$callable": "self.accepts"}
    other = Box()
    other.deserialize(document)
    assert other.check == other.accepts
    assert other.content == [double, len, {"k": (other.accepts,)}]
    assert decode(encode(box)).check.__self__ is not box


def test_an_owner_lets_values_hold_callables() -> None:
    worker = Worker()
    document = encode({"when": worker.work}, owner=worker)
    assert document == {"when": {"$callable": "self.work"}}
    assert decode(document, owner=worker)["when"] == worker.work


def test_a_method_of_the_outer_object_does_not_belong_to_the_inner() -> None:
    outer, inner = Box(), Box()
    inner.check = outer.accepts
    outer.content = inner
    with pytest.raises(ForeignMethodError) as caught:
        outer.serialize()
    assert caught.value.path == "Box.content.check"


def test_an_object_in_a_field_may_hold_a_method_of_the_owner() -> None:
    box = Box()
    box.content = samples.Point(box.accepts)
    fields = serilux.encode(box)["$object"]["fields"]
    assert fields["content"] == {
        "$object": {"class": "Point", "fields": {"x": {"$callable": "self.accepts"}, "y": None}}
    }


def test_behind_an_object_in_its_fields_the_owner_is_the_owner_still() -> None:
    box = Box()
    box.content = [Box(), box.accepts]
    read = decode(encode(box))
    assert read.content[1] == read.accepts


def test_an_object_of_plain_fields_may_hold_a_method_of_whoever_owns_it() -> None:
    box = Box()
    assert encode(samples.Point(box.accepts), owner=box)["$object"]["fields"]["x"] == {"$callable": "self.accepts"}


def test_without_a_main_module_there_is_no_better_name_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "__main__")
    assert real_module("__main__") == "__main__"


def test_a_method_is_marked_whoever_marks_it() -> None:
    def method() -> None: ...

    assert hasattr(referable(method), "_serilux_referable")
