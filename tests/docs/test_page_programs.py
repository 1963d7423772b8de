"""How a page becomes a program, and what a terminal prints is compared with what a page shows."""

import subprocess

from tests.docs.fences import fences_of
from tests.docs.page_program import Block, blocks_of, files_of, is_output, program_of
from tests.docs.transcripts import agrees, script_of


def test_a_page_becomes_a_program_with_the_lines_of_the_page() -> None:
    text = "# Title\n\n```python\nx = 1\n```\n\nWords.\n\n```python\nprint(x)\n```\n\n```text\n1\n```\n"
    blocks = blocks_of(text)
    assert blocks == [Block(4, "x = 1\n", ""), Block(10, "print(x)\n", "1\n")]
    lines = program_of(blocks).splitlines()
    assert (lines[3], lines[9]) == ("x = 1", "print(x)")


def test_a_block_that_begins_with_the_name_of_a_file_is_written_to_it() -> None:
    text = "```python\n# shop.py\nx = 1\n```\n"
    assert files_of(text) == {"shop.py": "# shop.py\nx = 1\n"}
    assert "write_text('# shop.py\\nx = 1\\n')" in blocks_of(text)[0].code


def test_words_between_a_program_and_a_text_make_it_no_output() -> None:
    text = "```python\nx = 1\n```\n\nIt prints nothing.\n\n```text\n1\n```\n"
    assert blocks_of(text) == [Block(2, "x = 1\n", "")]
    assert not is_output(text, *fences_of(text))


def test_a_transcript_is_run_by_one_shell_that_shows_each_command() -> None:
    transcript = "$ x=1; (exit 3)\n$ echo $? \\\n> $x\n3 1\n$ make demo\n"
    run = subprocess.run(["bash", "-c", script_of(transcript)], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout == transcript


def test_a_transcript_may_differ_in_times_and_ids_and_where_the_page_leaves_out_and_nowhere_else() -> None:
    printed = f"job {'a' * 32} at 2026-01-01T00:00:00Z: 17 tasks, 0.2 s\nmore\nend\n"
    assert agrees(f"job {'b' * 32} at 2025-01-01T00:00:00.5+00:00: 17 tasks, 0.1 s\n...\nend\n", printed)
    assert not agrees(printed.replace("17", "18"), printed)
    assert not agrees(printed.replace("more\n", ""), printed)


def test_a_killed_process_is_shown_as_a_terminal_shows_it() -> None:
    shown = "$ python orders.py\nKilled\n"
    assert agrees(shown, "$ python orders.py\nbash: line 4: 21 Killed                  python orders.py\n")
