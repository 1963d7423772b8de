"""The other process of `swap_host`: what is said to it comes as lines on its standard input, the first at its start.

Whatever users' code prints goes to standard error.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from threading import get_ident
from typing import Any, NoReturn, TextIO

from routilux._backends.opening import open_backend
from routilux._records import Data
from routilux.flow import Flow
from routilux.testing.moves import Delivery
from routilux.testing.outcomes import outcome
from routilux.testing.stored_runs import Host, Moments, forget
from routilux.testing.trial import Trial
from serilux import decode


def main() -> None:
    """Import what the first line says; do what each of the others says, in a copy of this process."""
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    first = json.loads(sys.stdin.readline())
    if not _told(channel, lambda: _import_all(first["modules"])):
        return
    source = _found(first["source"])
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            signal.alarm(request["life"])  # also where nobody is left who would wait for it
            _told(channel, lambda: _run(channel, source, request))  # noqa: B023 - it is called at once
            os._exit(0)
        _say(channel, {"exit": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])})


def _told(channel: TextIO, call: Callable[[], Data]) -> bool:
    """Say what a call returns, or raises."""
    try:
        said = call()
    except Exception as error:  # noqa: BLE001 - it is raised where it is heard
        traceback.print_exc()
        said = {"raised": f"{type(error).__name__}: {error}"}
    _say(channel, said)
    return "raised" not in said


def _say(channel: TextIO, message: Data) -> None:
    channel.write(json.dumps(message) + "\n")
    channel.flush()


def _import_all(modules: list[tuple[str, str | None]]) -> Data:
    for name, file in modules:
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            if file is None or not name.startswith(error.name or ""):
                raise
            _import_file(name, file)
    return {"imported": len(modules)}


def _import_file(name: str, file: str) -> None:
    """Import a module that only its file leads to, as test modules are under pytest's import mode `importlib`."""
    spec = spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)


def _found(source: str | None) -> Flow | Callable[[], Flow]:
    if source is None:
        return Flow()
    module, _, name = source.partition(":")
    found: Callable[[], Flow] = getattr(import_module(module), name)
    return found


def _run(channel: TextIO, source: Flow | Callable[[], Flow], request: Data) -> Data:
    """Run the job until its end, or until the moment at which this process kills itself."""
    trial = _trial(source, request)
    progress = trial.progress(most=request["most"])
    progress.delivered, progress.handing = request.get("delivered", 0), request.get("handing")

    def die() -> NoReturn:
        moves = progress.moves
        where = (
            f"it is killed at {moments.passed[-1]!r}, after step {len(moves)}{', ' + str(moves[-1]) if moves else ''}"
        )
        at = {"now": host.runner.clock.now(), "delivered": progress.delivered, "handing": progress.handing}
        _say(channel, {"moment": where, "progress": at})
        signal.pthread_kill(get_ident(), signal.SIGKILL)
        raise AssertionError("it was killed, and goes on")

    moments = Moments(request.get("last"), die)
    backend = open_backend(request["url"])
    if request.get("fresh"):
        forget(backend, trial.job_id)
    host = Host(backend, trial.host(request.get("now")), moments)
    host.finish(host.take_over(trial, progress))
    return {"moments": list(moments.passed), "job": host.read(trial).serialize()}


def _trial(source: Flow | Callable[[], Flow], request: Data) -> Trial:
    deliveries: list[Any] = decode(request["deliveries"], "deliveries")
    return Trial(
        source=source,
        entry=request["entry"],
        params=decode(request["params"], "params"),
        deliveries=tuple(Delivery(*delivery) for delivery in deliveries),
        result=outcome,
        setup=dict,
        seed=request["seed"],
        document=request["document"],
        job_id=request["job_id"],
    )


if __name__ == "__main__":
    main()
