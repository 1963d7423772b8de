"""What importing the library loads, so that it cannot grow unseen."""

import subprocess
import sys

import pytest

import routilux

# Modules of the standard library that the names of the package may load, besides those of msgspec.
ALLOWED = {
    *(
        "atexit",
        "base64",
        "contextvars",
        "copy",
        "dataclasses",
        "errno",
        "gc",
        "heapq",
        "keyword",
        "struct",
        "threading",
        "traceback",
        "weakref",
    ),
    *("binascii", "difflib", "fnmatch", "ipaddress", "ntpath", "pathlib", "sysconfig", "urllib", "urllib.parse"),
    *("json", "json.decoder", "json.encoder", "json.scanner", "zoneinfo", "zoneinfo._common", "zoneinfo._tzpath"),
    *("inspect", "ast", "dis", "importlib", "importlib._bootstrap", "importlib._bootstrap_external"),
    *("importlib.machinery", "linecache", "opcode", "token", "tokenize"),
}

JOB = """
from routilux import Flow, Routine

class Greeter(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.greet)

    def greet(self, name):
        pass

flow = Flow("greetings")
flow.add_routine(Greeter(), "greeter")
job = flow.execute("greeter", {"name": "Ada"})
assert job.wait(timeout=60), job.explain()
"""
# What only a store, a coroutine, a secret or a failure needs.
FOR_SOME = ["asyncio", "concurrent", "logging", "random", "selectors", "socket", "sqlite3", "subprocess"]
OF_STORES = ["routilux._backends", "routilux._engine.ledger", "routilux._engine.custody", "routilux._core.journal"]


def loaded_by(program: str) -> set[str]:
    """The modules that a new process has after it, and not after `import msgspec`."""
    frame = "import sys, msgspec\nbefore = set(sys.modules)\n{}\nprint('loaded:', *set(sys.modules) - before)"
    command = [sys.executable, "-c", frame.format(program)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return set(run.stdout.rpartition("loaded:")[2].split())


def of_the_standard_library(modules: set[str]) -> set[str]:
    """Without its private helpers, which come along with the others."""
    tops = {name: name.partition(".")[0] for name in modules}
    return {name for name, top in tops.items() if top in sys.stdlib_module_names and not top.startswith("_")}


def test_importing_the_package_loads_nothing_else() -> None:
    assert loaded_by("import routilux") == {"routilux"}


def test_its_names_load_no_more_than_they_need() -> None:
    assert of_the_standard_library(loaded_by("from routilux import Flow")) - ALLOWED == set()


def test_any_name_loads_all_of_them() -> None:
    assert loaded_by("import routilux\nroutilux.Slot\nassert set(routilux.__all__) <= set(vars(routilux))")


def test_a_job_without_a_store_loads_nothing_of_one() -> None:
    loaded = loaded_by(JOB)
    assert sorted(loaded & {*FOR_SOME, *OF_STORES}) == []


def test_a_module_of_the_package_is_there_without_being_imported() -> None:
    assert loaded_by("import routilux\nassert issubclass(routilux.errors.JobStateError, ValueError)")


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'routilux' has no attribute 'Flou'"):
        routilux.Flou  # type: ignore[attr-defined]


def test_all_names_are_listed() -> None:
    assert set(routilux.__all__) <= set(dir(routilux))
