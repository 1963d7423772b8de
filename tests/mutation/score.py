"""What became of the mutants, module by module, as a table: `python -m tests.mutation.score`."""

from collections import Counter, defaultdict
from pathlib import Path

from tests.mutation.mutants import NO_TESTS, TIMEOUT, results

WORDS = {None: "not tried", 0: "survived", 1: "killed", 3: "killed", NO_TESTS: "no tests", TIMEOUT: "timeout"}
COLUMNS = ("mutants", "killed", "timeout", "crashed", "survived", "no tests", "not tried")
WIDTH = 32


def counts(folder: Path) -> dict[str, Counter[str]]:
    """How many mutants of each module were, for instance, killed."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant, code in results(folder):
        module = mutant.function.rpartition(".")[0]
        for name in (module, "together"):
            found[name].update(["mutants", WORDS.get(code, "crashed")])
    return found


def row(name: str, numbers: Counter[str]) -> str:
    return "| ".join([f"{name:{WIDTH}}", *(f"{numbers[column]:{len(column)}} " for column in COLUMNS)]).rstrip()


def score(numbers: Counter[str]) -> float:
    """Per cent of those tried that a test noticed."""
    tried = numbers["mutants"] - numbers["not tried"]
    return 100 * (numbers["killed"] + numbers["timeout"] + numbers["crashed"]) / max(tried, 1)


def main() -> None:
    found = counts(Path("mutants"))
    together = found.pop("together", Counter())
    print("| ".join([f"{'module':{WIDTH}}", *(f"{column} " for column in COLUMNS)]).rstrip())
    for name in sorted(found):
        print(row(name, found[name]))
    print(row("together", together))
    print(f"\n{score(together):.1f} % of those tried were noticed")


if __name__ == "__main__":
    main()
