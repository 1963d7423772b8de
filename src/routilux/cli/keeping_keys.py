"""The command that looks after a file of keys: keys."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from routilux.cli.options import Json
from routilux.cli.printing import columns, print_done
from routilux.cli.quoting import command_of
from routilux.transfer import Key, KeyRing, load_keys, save_keys


def keys(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file with the keys.")],
    add: Annotated[
        str | None,
        typer.Option("--add", metavar="ALGORITHM", help="Add a new key: HMAC-SHA256, Ed25519 or AES-256-GCM."),
    ] = None,
    key_id: Annotated[str | None, typer.Option("--id", metavar="ID", help="What to call it; else by the date.")] = None,
    retire: Annotated[str | None, typer.Option("--retire", metavar="ID", help="Accept this key no more.")] = None,
    public: Annotated[
        Path | None, typer.Option("--public", metavar="FILE", help="Write the public parts, for those who only verify.")
    ] = None,
    json: Json = False,
) -> int:
    """List the keys in a file, the newest first; make it, add one, retire one."""
    if key_id is not None and add is None:
        raise typer.BadParameter("it is the name of a key that is added; give --add too", param_hint="--id")
    if add is None and not file.exists():
        making = command_of("keys", str(file), ["--add", "ALGORITHM"])
        raise typer.BadParameter(f"{file} is not there; `{making}` makes it")
    ring = load_keys(file) if file.exists() else KeyRing()
    changed = ring if retire is None else ring.retired(retire)
    if add is not None:
        changed = changed.with_newest(Key.generate(key_id or _free_id(changed), add))
    if changed is not ring:
        save_keys(file, changed)
    if public is not None:
        save_keys(public, changed.for_others())
    facts = [
        {"key_id": key.key_id, "algorithm": key.algorithm, "public": key.secret is None, "retired": key.retired}
        for key in changed.keys
    ]
    rows = [("key", "algorithm", "")]
    rows += [(key.key_id, key.algorithm, _remark(key)) for key in changed.keys]
    print_done(facts, *(columns(rows) if len(rows) > 1 else ["no keys"]), as_json=json)
    return 0


def _remark(key: Key) -> str:
    return ", ".join(word for word, holds in (("public part", key.secret is None), ("retired", key.retired)) if holds)


def _free_id(ring: KeyRing) -> str:
    """Today's date, with a number where there is a key of today already."""
    today, number = datetime.now(UTC).date().isoformat(), 1
    while ring.get(name := today if number == 1 else f"{today}-{number}") is not None:
        number += 1
    return name
