"""The site is built without a warning, is whole, and fetches nothing."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from sphinx.util.inventory import InventoryFile

from tests.docs.public_names import FOR_THE_ENGINE, PUBLIC, errors_of, members_of, resolve

DOCS = Path(__file__).parents[2] / "docs"
ERRORS = [import_module(name) for name in ("routilux.errors", "serilux.errors")]
FETCHED = re.compile(r"""(?:src=|<link[^>]+href=|url\(|@import\s)["']?(?:https?:)?//[^"')\s]+""")


class Site:
    """A built site, and what was said while it was built."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-n", str(DOCS), str(folder)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        self.folder, self.said = folder, (run.returncode, run.stderr)

    def names(self) -> set[str]:
        """The names of Python that it has an entry for."""
        inventory = InventoryFile.loads((self.folder / "objects.inv").read_bytes(), uri="")
        return {name for kind, items in inventory.data.items() if kind.startswith("py:") for name in items}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"))


def test_the_site_builds_without_a_warning_and_every_page_is_in_its_contents(site: Site) -> None:
    assert site.said == (0, "")


def test_the_site_fetches_nothing_from_elsewhere(site: Site) -> None:
    files = [path for kind in ("*.html", "*.css") for path in site.folder.rglob(kind)]
    assert len(files) > 20
    assert [(path.name, found) for path in files for found in FETCHED.findall(path.read_text("utf-8"))] == []


def test_every_public_name_is_in_the_reference(site: Site) -> None:
    assert [name for name in PUBLIC if name not in site.names()] == []


def test_every_error_is_in_the_reference_with_what_to_do_about_it(site: Site) -> None:
    page = (DOCS / "reference" / "api" / "errors.md").read_text(encoding="utf-8")
    names = {name for module in ERRORS for name in errors_of(module)} - {"RoutiluxError", "SeriluxError"}
    assert [name for name in sorted(names) if f"\n| `{name}` | " not in page] == []
    known = {name.rpartition(".")[2] for name in site.names()}
    assert [name for name in sorted(names) if name not in known] == []


@pytest.mark.parametrize("name", ["routilux.Flow", "routilux.Routine", "routilux.JobState", "routilux.stores.Store"])
def test_every_method_of_the_main_classes_is_in_the_reference(name: str, site: Site) -> None:
    cls = resolve(name)
    assert isinstance(cls, type)
    members = {f"{cls.__name__}.{member}" for member in members_of(cls) if member not in FOR_THE_ENGINE}
    package = name.rpartition(".")[0]
    assert sorted(member for member in members if f"{package}.{member}" not in site.names()) == []
