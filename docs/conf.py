"""The documentation site: `make docs` builds it into docs/_build/html, warnings being errors.

Pages are Markdown, read by myst-parser; the theme carries its own fonts and scripts, so that no page asks the
network for anything. Numbers that a program decides are included from its files, and not typed again.
"""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent

project = "Featherweight"
language = "en"

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "examples"]
nitpicky = True

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
highlight_language = "text"  # most blocks are what a terminal shows

html_theme = "furo"
html_title = "Featherweight"
html_static_path = ["_static"]
html_sidebars = {
    "**": [f"sidebar/{part}.html" for part in ("brand", "search", "scroll-start", "navigation", "scroll-end")]
}
html_css_files = ["featherweight.css"]
html_show_sphinx = False
html_show_copyright = False
html_use_index = False
html_copy_source = False
# A summary is fetched from each page found, which browsers refuse to pages opened from disk.
html_show_search_summary = False

if (HERE / "lab.html").is_file():  # `make lab-html` makes it
    html_extra_path = ["lab.html"]
    tags.add("lab")  # noqa: F821 - Sphinx puts it there
