"""`routilux explain`: what a job did, what it waits for, why it failed."""

from pathlib import Path

from tests.cli.commands import documents, in_process, read_until, routilux, start


def test_it_says_why_a_job_failed_and_where(folder: Path, failed: str) -> None:
    explained = documents("explain", failed)
    place = explained["error"]["place"]
    assert (explained["error"]["type"], explained["error"]["message"]) == ("ValueError", "a bill of -5")
    assert (place["file"], place["function"]) == (str(folder / "shop.py"), "bill")
    assert "raise ValueError" in (folder / "shop.py").read_text().splitlines()[place["line"] - 1]


def test_it_says_what_the_job_did(folder: Path, failed: str) -> None:
    assert documents("explain", failed)["done"] == {
        "orders": {"activations": 1, "events": 3, "errors": 0, "retries": 0},
        "billing": {"activations": 4, "events": 0, "errors": 2, "retries": 1},
    }


def test_its_text_ends_with_the_reason(folder: Path, failed: str) -> None:
    lines = routilux("explain", failed).stdout.splitlines()
    (why,) = [line for line in lines if line.startswith("  why:")]
    assert lines[0] == f"job {failed} of flow 'shop' is failed: a task failed and nothing more is started"
    assert "  so far: 5 activations, 3 events, 2 errors, 1 retries" in lines
    assert why.startswith("  why: ValueError in routine 'billing': a bill of -5")


def test_it_needs_none_of_the_users_classes_and_says_what_a_job_does(folder: Path, gate: Path) -> None:
    with start(folder, "run", "shop:flow", "--entry", "orders", "--param", "amounts=[1, 2]", GATE=str(gate)) as process:
        read_until(process, "billing 1")
        process.kill()
        process.wait(60)
    job_id = documents("jobs")[0]["job_id"]
    (folder / "shop.py").unlink()
    code, output, errors = in_process(folder, "explain", job_id)
    assert (code, errors) == (0, "")
    assert "run by: gone; recover it" in output
    assert output.startswith(f"job {job_id} of flow 'shop' is running: ")
