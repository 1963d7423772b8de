"""How Sphinx makes the site of these pages: `make docs`. Nothing in it is fetched, neither when built nor when read."""

import re

from sphinx.application import Sphinx

project = "routilux"
author = "the authors of routilux"
extensions = ["myst_parser", "sphinx.ext.autodoc"]

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
highlight_language = "text"
default_role = "py:obj"  # what docstrings put in backticks is a link where it names something, and code where not

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88

pygments_dark_style = "a11y-high-contrast-dark"
html_theme = "furo"
html_title = "routilux"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_static_path = ["static"]
html_css_files = ["routilux.css"]

nitpick_ignore_regex = [
    ("py:obj", r"(?s).*"),  # backticks around what is no name of ours
    ("py:(class|exc|meth|attr|func)", r"(collections|concurrent|datetime|enum|msgspec|os|pathlib|types|typing)\..*"),
    ("py:class", r"(routilux|serilux)\._.*"),  # types of parameters that users never name
]


def name_stores(
    app: object, what: str, name: str, obj: object, options: object, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Call what `open_store` gives by the name that users know, where a signature names what the engine needs of it."""
    if signature is not None:
        signature = re.sub(r"\bLedgerHolder\b|\bRecoverable\b", "routilux.stores.Store", signature)
    return signature, returned


def setup(app: Sphinx) -> None:
    """Tell Sphinx."""
    app.connect("autodoc-process-signature", name_stores)
