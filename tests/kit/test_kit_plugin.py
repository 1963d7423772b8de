"""The pytest plugin, as users' tests see it."""

import json

import pytest

FLOW = """
from routilux import Flow, Routine
from serilux import register_serializable


@register_serializable(name="PluginAdder")
class Adder(Routine):
    def __init__(self):
        super().__init__()
        self.define_slot("trigger", handler=self.split)
        self.define_slot("number", handler=self.add)
        self.define_event("number", ["number"])

    def split(self):
        for number in range(3):
            self.emit("number", number=number)

    def add(self, number):
        self.get_execution_context().job_state.append_to_shared_log(number)


def adding(**settings):
    flow = Flow("adding", "concurrent", **settings)
    flow.add_routine(Adder(), "adder")
    flow.connect("adder", "number", "adder", "number")
    return flow
"""


@pytest.fixture
def tests_of_a_user(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    for name in ("ROUTILUX_SEED", "ROUTILUX_REPLAYS", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    pytester.makepyfile(adding=FLOW)
    pytester.makeini("[pytest]\nfilterwarnings = error\npythonpath = .\n")
    return pytester


def test_the_fixtures_are_there(tests_of_a_user: pytest.Pytester) -> None:
    tests_of_a_user.makepyfile(
        """
        from adding import adding

        def test_it(step_runner, virtual_clock, job_store, routilux_seed):
            assert step_runner.clock is virtual_clock
            assert routilux_seed == 5
            flow = adding(engine_factory=step_runner.engine)
            job = flow.execute("adder", store=job_store)
            assert job.wait()
            assert sorted(job.shared_log) == [0, 1, 2]
            assert [summary.status for summary in job_store.jobs()] == ["completed"]
        """
    )
    result = tests_of_a_user.runpytest_subprocess("--routilux-seed=5")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["routilux: --routilux-seed=5"])


def test_the_seed_chooses_the_order_of_concurrent_activations(tests_of_a_user: pytest.Pytester) -> None:
    tests_of_a_user.makepyfile(
        """
        from adding import adding
        from routilux.testing import StepRunner

        def log_of(seed):
            runner = StepRunner(seed=seed)
            job = adding(engine_factory=runner.engine).execute("adder")
            assert job.wait()
            return job.shared_log

        def test_it():
            assert log_of(1) == log_of(1)
            assert {tuple(log_of(seed)) for seed in range(20)} > {(0, 1, 2)}
        """
    )
    tests_of_a_user.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_failure_says_the_seed_and_leaves_a_file(tests_of_a_user: pytest.Pytester) -> None:
    tests_of_a_user.makepyfile(
        """
        from adding import adding
        from routilux import JobState
        from routilux.testing import roundtrip_every_step

        def test_it(monkeypatch):
            original = JobState.serialize
            monkeypatch.setattr(JobState, "serialize", lambda self: original(self) | {"shared_log": []})
            roundtrip_every_step(adding, "adder", result=lambda job: sorted(job.shared_log))
        """
    )
    result = tests_of_a_user.runpytest_subprocess("--routilux-seed=11", "--routilux-replays=kept")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*OutcomeChanged: Writing the job down*",
            "*seed 11; to run just this again*",
            "*same schedules again: pytest --routilux-seed=11 *test_it*",
        ]
    )
    (file,) = (tests_of_a_user.path / "kept").iterdir()
    assert json.loads(file.read_text())["seed"] == 11


def test_a_failure_that_has_nothing_to_do_with_it_says_no_seed(tests_of_a_user: pytest.Pytester) -> None:
    tests_of_a_user.makepyfile("def test_it():\n    assert False\n")
    result = tests_of_a_user.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*same schedules again*")


def test_all_workers_have_one_seed(tests_of_a_user: pytest.Pytester) -> None:
    tests_of_a_user.makepyfile(
        """
        import os, pytest

        @pytest.mark.parametrize("number", range(4))
        def test_it(routilux_seed, number):
            with open("seeds", "a") as file:
                file.write(f"{routilux_seed} {os.environ['ROUTILUX_SEED']}\\n")
        """
    )
    tests_of_a_user.runpytest_subprocess("-n", "2").assert_outcomes(passed=4)
    seeds = (tests_of_a_user.path / "seeds").read_text().split()
    assert (len(seeds), len(set(seeds))) == (8, 1)


def test_nothing_of_routilux_is_imported_where_no_test_asks_for_it(tests_of_a_user: pytest.Pytester) -> None:
    tests_of_a_user.makepyfile(
        """
        import sys

        def test_it():
            assert [name for name in sys.modules if name.split(".")[0] in ("routilux", "serilux", "msgspec")] == []
        """
    )
    tests_of_a_user.runpytest_subprocess().assert_outcomes(passed=1)


def test_the_environment_is_as_it_was_afterwards(
    tests_of_a_user: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUTILUX_SEED", "3")
    tests_of_a_user.makepyfile("def test_it(routilux_seed):\n    assert routilux_seed == 3\n")
    tests_of_a_user.runpytest_inprocess().assert_outcomes(passed=1)
    import os  # noqa: PLC0415

    assert os.environ["ROUTILUX_SEED"] == "3"
