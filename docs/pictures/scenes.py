"""The pictures of the documentation, each by the name of its file."""

from collections.abc import Callable

from docs.pictures.drawing import Drawing


def two_documents() -> Drawing:
    """What moves between hosts."""
    drawing = Drawing(760, 300, "A job moves from host A to host B as two documents, the Flow and the JobState")
    drawing.box(10, 90, 130, 110, "#host A", "runs the job,", "pauses it")
    drawing.box(620, 90, 130, 110, "#host B", "reads both,", "goes on", "exactly there")
    drawing.box(200, 20, 360, 105, kind="blue")
    drawing.words(216, 44, "#Flow")
    drawing.words(544, 44, "what is wired to what", anchor="end", style="quiet")
    for x, name in ((216, "orders"), (331, "billing"), (446, "receipts")):
        drawing.box(x, 66, 92, 36, name)
    drawing.arrow((308, 84), (331, 84))
    drawing.arrow((423, 84), (446, 84))
    drawing.box(200, 145, 360, 125, kind="green")
    drawing.words(216, 169, "#JobState")
    drawing.words(544, 169, "how far one run has come", anchor="end", style="quiet")
    drawing.notes(216, 195, "status", "done", "to do", style="quiet")
    drawing.notes(280, 195, "paused", "orders; billing, 1 of 3", "billing, 2 of 3", style="")
    drawing.words(216, 256, "and retries, timers, shared data, history", style="quiet")
    drawing.arrow((140, 145), (170, 145), (170, 72), (200, 72))
    drawing.arrow((140, 145), (170, 145), (170, 208), (200, 208))
    drawing.arrow((560, 72), (590, 72), (590, 145), (620, 145))
    drawing.line([(560, 208), (590, 208), (590, 145), (612, 145)])
    drawing.words(380, 292, "plain JSON: a file, a socket, a row of a database", anchor="middle", style="quiet")
    return drawing


def life_of_a_task() -> Drawing:
    """Where a task can be, and how it gets from one place to the next."""
    drawing = Drawing(760, 390, "The life of a task: expecting, queued, active, delayed, failed, or committed and gone")
    drawing.box(20, 20, 140, 60, "#expecting", "a delivery")
    drawing.box(310, 20, 140, 60, "#delayed", "until a time")
    drawing.box(20, 170, 140, 60, "#queued", kind="blue")
    drawing.box(310, 170, 140, 60, "#active", "its handler runs", kind="amber")
    drawing.box(610, 170, 140, 60, "#committed", "and gone", kind="green")
    drawing.box(310, 320, 140, 60, "#failed", "the job, too", kind="red")
    drawing.arrow((70, 80), (70, 170))
    drawing.notes(80, 130, "deliver")
    drawing.arrow((310, 50), (235, 50), (235, 140), (130, 140), (130, 170))
    drawing.notes(245, 104, "its time", "has come")
    drawing.arrow((160, 190), (310, 190))
    drawing.notes(235, 182, "taken: data merged", anchor="middle")
    drawing.arrow((310, 212), (160, 212))
    drawing.notes(235, 231, "its process died", anchor="middle")
    drawing.arrow((450, 200), (610, 200))
    drawing.notes(530, 192, "handler returns;", anchor="middle")
    drawing.notes(530, 219, "continue, skip", anchor="middle")
    drawing.arrow((380, 170), (380, 80))
    drawing.notes(390, 130, "fails: retry")
    drawing.arrow((380, 230), (380, 320))
    drawing.notes(390, 272, "fails: stop, or", "no retries left")
    drawing.arrow((310, 350), (130, 350), (130, 230))
    drawing.notes(220, 342, "flow.retry", anchor="middle")
    drawing.arrow((50, 300), (50, 230))
    drawing.notes(20, 322, "emit,", "execute")
    drawing.notes(175, 18, "timeout over:", "a failed attempt")
    return drawing


def way_to_disk() -> Drawing:
    """How commits of several jobs become one write."""
    drawing = Drawing(760, 335, "Commits of all jobs wait in their logs for at most a window and are written at once")
    for row, (name, y) in enumerate((("job 1", 60), ("job 2", 120), ("job 3", 180))):
        drawing.words(10, y + 5, f"#{name}")
        drawing.line([(60, y), (330, y)], "line dashed")
        for x in ((85, 120, 150, 205, 290), (100, 230, 260), (75, 180, 300, 318))[row]:
            drawing.dot(x, y)
    drawing.words(60, 30, "handlers return: commits, in memory", style="quiet")
    drawing.line([(60, 215), (60, 225), (330, 225), (330, 215)])
    drawing.notes(195, 246, "a window: 10 ms at most", anchor="middle")
    drawing.box(360, 40, 110, 160, "#ledger", "one batch", "of all that", "waits", kind="amber")
    for y in (60, 120, 180):
        drawing.arrow((330, y), (360, y))
    drawing.box(530, 40, 220, 215, kind="blue")
    drawing.words(640, 64, "#store", anchor="middle")
    drawing.box(544, 80, 192, 46, "#journal", "what happened, in order")
    drawing.box(544, 136, 192, 46, "#snapshot", "the job, history aside")
    drawing.box(544, 192, 192, 46, "#segments", "its history, in pieces")
    drawing.arrow((470, 103), (544, 103))
    drawing.notes(500, 78, "one", "write", anchor="middle")
    drawing.notes(750, 278, "a journal that has grown becomes", "a snapshot and one more segment", anchor="end")
    drawing.notes(
        10, 290, "group: the job goes on meanwhile.", "strict: it waits for its write before its next activation."
    )
    return drawing


def take_over() -> Drawing:
    """Why a former owner cannot write."""
    drawing = Drawing(760, 430, "A take-over: host B raises the epoch; what host A writes afterwards is refused")
    for x, name, kind in ((110, "#host A", "plain"), (380, "#store", "blue"), (650, "#host B", "plain")):
        drawing.box(x - 75, 10, 150, 36, name, kind=kind)
    drawing.line([(110, 46), (110, 124)], "line dashed")
    drawing.line([(110, 350), (110, 420)], "line dashed")
    drawing.line([(380, 46), (380, 420)], "line dashed")
    drawing.line([(650, 46), (650, 420)], "line dashed")
    rows = (
        (85, 110, 380, "write, epoch 0", "stored"),
        (195, 650, 380, "claim: epoch 0 becomes 1", ""),
        (245, 380, 650, "snapshot, and all of the journal", ""),
        (295, 650, 380, "write, epoch 1", "stored"),
        (365, 110, 380, "write, epoch 0", "refused"),
    )
    for y, start, end, label, answer in rows:
        drawing.arrow((start, y), (end, y))
        drawing.words((start + end) / 2, y - 8, label, anchor="middle")
        if answer:
            style = "danger" if answer == "refused" else "quiet"
            drawing.words((start + end) / 2, y + 18, answer, anchor="middle", style=style)
    drawing.cross(110, 135)
    drawing.notes(126, 130, "it stops, hangs, or is cut off;", "for all that is known it is gone")
    drawing.line([(110, 146), (110, 350)], "kill dashed")
    drawing.notes(126, 336, "it wakes up")
    drawing.words(126, 410, "~OwnershipLost", style="danger")
    return drawing


def where_a_kill_falls() -> Drawing:
    """What is done again, by where the process died."""
    drawing = Drawing(
        760, 330, "Killed before its commit is on disk, an activation is done again; afterwards it is not"
    )
    y = 70
    drawing.box(20, y, 150, 46, "task is queued")
    drawing.box(170, y, 220, 46, "#handler runs", kind="amber")
    drawing.box(390, y, 170, 46, "commit, in memory", kind="blue")
    drawing.box(560, y, 180, 46, "#commit on disk", kind="green")
    drawing.arrow((20, 50), (740, 50))
    drawing.words(20, 38, "time", style="quiet")
    for x, name in ((95, "1"), (280, "2"), (475, "3"), (650, "4")):
        drawing.cross(x, 148)
        drawing.words(x + 14, 153, name, style="strong danger")
        drawing.line([(x, 122), (x, 136)], "kill dashed")
    for row, (name, when, what) in enumerate(
        (
            ("1", "before it began", "it is still queued, and begins"),
            ("2", "in the middle", "begins again, with the same task_id; what it did outside stays done"),
            ("3", "within the window", "begins again, with all of that window; under strict it alone"),
            ("4", "afterwards", "is not done again: the job goes on from here"),
        )
    ):
        line = 200 + row * 32
        drawing.words(20, line, name, style="strong danger")
        drawing.words(42, line, f"#{when}")
        drawing.words(212, line, what)
    return drawing


SCENES: dict[str, Callable[[], Drawing]] = {
    scene.__name__.replace("_", "-"): scene
    for scene in (two_documents, life_of_a_task, way_to_disk, take_over, where_a_kill_falls)
}
