"""How Sphinx makes the site of these pages: `make docs`. Nothing in it is fetched, neither when built nor when read."""

project = "routilux"
author = "the authors of routilux"
extensions = ["myst_parser"]

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "routilux"
html_copy_source = False
html_show_sphinx = False
