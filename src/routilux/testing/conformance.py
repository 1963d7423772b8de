"""What every store of jobs must do, as tests that run against any backend.

Subclass it in a test module of yours, with two fixtures, and pytest runs all of it:

    class TestMyBackend(BackendConformance):
        @pytest.fixture
        def backend(self, tmp_path):
            with closing(MyBackend(tmp_path / "jobs")) as backend:
                yield backend

        @pytest.fixture
        def beside(self, tmp_path, backend):
            with closing(MyBackend(tmp_path / "jobs")) as beside:
                yield beside
"""

from routilux.testing.conformance_journal import JournalConformance
from routilux.testing.conformance_keeping import KeepingConformance
from routilux.testing.conformance_namesakes import NamesakeConformance
from routilux.testing.conformance_ownership import OwnershipConformance


class BackendConformance(JournalConformance, KeepingConformance, OwnershipConformance, NamesakeConformance):
    """All that stores have in common (laws 2 and 6; `Backend`).

    `backend` is a new and empty store; `beside` is the same store once more, as another process would open it. Where
    that is not possible, `beside` is the same object.
    """
