"""In which store a flow keeps a job, and with which definition."""

from routilux._beginning import checked_durability
from routilux._definition import Definition
from routilux._engine.keeping import Custodian, FlowDefinition, Keeping, KeepsJobs
from routilux._engine.live_job import LiveJob
from routilux._model import Durability
from routilux._plan import NO_PLAN, Plan
from routilux.errors import DefinitionError, JobStateError


def kept_in(
    store: KeepsJobs | None, definition: Definition, durability: Durability | str | None = None
) -> Keeping | None:
    """How a job is kept in a store, if there is one.

    DefinitionError where it is none, or where the flow could not be read again: then nobody could go on with the job;
    and where what a store only could promise is asked for without one.
    """
    if store is None:
        if checked_durability(durability) is Durability.STRICT:
            raise DefinitionError("durability='strict' is of a job that a store keeps: give store=open_store(...)")
        return None
    if not isinstance(store, KeepsJobs):
        raise DefinitionError(f"a store is what open_store(...) gives, not {store!r}")
    return _kept(store.custody(), definition, durability)


def kept_again(
    live: LiveJob,
    store: KeepsJobs | None,
    definition: Definition,
    durability: Durability | str | None = None,
    *,
    take_over: bool = True,
    plan: Plan = NO_PLAN,
) -> Keeping | None:
    """How a job is kept that goes on: where it was, or in this store if it was in none.

    JobStateError for another, StoreError where that in which it was has been closed: then this one may be that again.
    """
    custody = live.custody
    if custody is None:
        return kept_in(store, definition, durability)
    if store is not None and not store.has_custody(custody):
        if (closed := custody.closed(live.job)) is not None:
            raise closed
        if custody.is_unsure:
            raise JobStateError(
                f"job {live.job.job_id!r} may have got into another store, which did not answer; resume it there"
            )
        raise JobStateError(f"job {live.job.job_id!r} is kept in another store; move it with export and import")
    return _kept(custody, definition, durability)._replace(take_over=take_over, plan=plan)


def _kept(custody: Custodian, definition: Definition, durability: Durability | str | None) -> Keeping:
    document = definition.serialize()
    definition._check_readable(document)
    kept = FlowDefinition(document, definition._compile()[0])
    return Keeping(custody, kept, durability=checked_durability(durability))
