"""How a job begins, whatever becomes of its caller."""

from routilux._engine.keeping import Keeping
from routilux._engine.live_job import LiveJob
from routilux._engine.setting import Setting
from routilux._records import Task


def have_started(live: LiveJob, setting: Setting, task: Task, keeping: Keeping | None, *, named: bool) -> None:
    """Begin a job, which its caller lets run; where a signal keeps him from that, it runs by itself."""
    is_left = False

    def start() -> None:
        live.start(setting, task, keeping, named=named)
        if is_left:
            live.submit()

    try:
        live.uninterrupted(start, keeping=keeping)
    except BaseException as error:
        is_left = True
        if keeping is None:
            live.distrust(error)
        live.submit()
        raise
