"""All figures, by the names that `--only` takes."""

from bench.figures.documents import DOCUMENTS
from bench.figures.durable import DURABLE
from bench.figures.jobs import JOBS
from bench.figures.start_up import START_UP
from bench.figures.steps import STEPS

FIGURES = {**STEPS, **JOBS, **DOCUMENTS, **DURABLE, **START_UP}
