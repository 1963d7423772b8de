"""The README's program is killed, and goes on, as the README says."""

import re
import signal
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text()


def run_program(file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", file.name]
    return subprocess.run(command, cwd=file.parent, capture_output=True, text=True, timeout=60, check=False)


def test_the_program_of_the_readme_is_killed_once_and_then_prints_what_it_says(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (expected,) = re.findall(r"Started again, it prints `(.*?)`", README)
    file = tmp_path / "program.py"
    file.write_text(program)
    killed, again = run_program(file), run_program(file)
    assert (killed.stdout, killed.stderr, killed.returncode) == ("", "", -signal.SIGKILL)
    assert (again.stdout.strip(), again.stderr, again.returncode) == (expected, "", 0)
