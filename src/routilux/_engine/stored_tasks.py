"""Whether tasks got into a store that did not say so. What that needs is loaded when somebody has to know."""

from collections.abc import Collection

from routilux._core.graph_document import read_definition
from routilux._core.job import Job
from routilux._engine.custody import Custody
from routilux._engine.keeping import Custodian
from routilux._engine.rebuilding import opaque, rebuild
from routilux.errors import RoutiluxError
from serilux.errors import SeriluxError


def are_stored(custody: Custodian, job: Job, numbers: Collection[int]) -> bool | None:
    """Whether a job, as this process has claimed or made it, is stored with tasks of these numbers.

    None where that is not known: the store does not say, or somebody has the job by now, and may have done the tasks.
    """
    assert isinstance(custody, Custody)
    backend = custody.ledger.backend
    try:
        if backend.record(job.job_id) is None:
            return False
        stored = backend.read(job.job_id)
        graph = read_definition(backend.definition(stored.record.definition))[1]
        found = {task.number for task in rebuild(opaque(stored), graph).job.pending()}
    except (RoutiluxError, SeriluxError):
        return None
    return found.issuperset(numbers) if stored.record.epoch == job.epoch else None
