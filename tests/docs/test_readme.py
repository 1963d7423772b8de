"""The README's program runs, and prints what the README says it prints."""

import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_program_of_the_readme_prints_what_it_says(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (expected,) = re.findall(r"It prints `(.*?)`", README)
    file = tmp_path / "program.py"
    file.write_text(program)
    run = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, timeout=60, check=False)
    assert (run.stdout.strip(), run.stderr, run.returncode) == (expected, "", 0)
