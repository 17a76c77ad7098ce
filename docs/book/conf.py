"""Settings of Sphinx for the course as a website; the pages come from `stage.py`.

Nothing that a page needs comes from elsewhere: formulas are MathML, which browsers draw by themselves, and the theme
brings its script, style and symbols along.
"""

from typing import Any

import nbformat
from docutils import nodes
from math_core import LatexToMathML
from sphinx.application import Sphinx

project = "Image classification, from pixels to fine-tuned networks"
language = "en"
extensions = ["myst_nb", "sphinx.ext.githubpages"]  # the second: an empty file that such a server asks for
exclude_patterns = ["downloads"]

nb_execution_mode = "off"  # the outputs are those stored in the lessons
nb_merge_streams = True
nb_render_markdown_format = "myst"  # links in outputs lead to pages too
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # a widget is shown as its text: its script would come from elsewhere
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

html_theme = "pydata_sphinx_theme"
html_title = "Image classification"
templates_path = ["templates"]
html_static_path = ["static"]
html_css_files = ["book.css"]
html_copy_source = False
html_use_index = False
html_show_search_summary = False  # would read pages as a server gives them; from a folder a browser refuses that
html_math_renderer = "mathml"
html_context = {"default_mode": "auto"}  # light or dark as the reader's system is, until they choose
html_theme_options = {
    "show_toc_level": 2,
    "navbar_center": [],
    "article_header_start": [],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "search_bar_text": "Search the course",
}
html_sidebars = {"**": ["lessons"]}
copyright = "the authors of the course. Text and figures: CC BY 4.0; code: MIT"


def setup(app: Sphinx) -> None:
    """Add what Sphinx and MyST-NB do not do by themselves."""
    app.add_html_math_renderer("mathml", (write_formula, None), (write_display, None))
    app.connect("doctree-read", add_alt_texts)


def write_formula(translator: Any, node: nodes.Element) -> None:
    """Write a formula in a line of text."""
    translator.body.append(convert_formula(node.astext(), displaystyle=False))
    raise nodes.SkipNode


def write_display(translator: Any, node: nodes.Element) -> None:
    """Write a formula on a line of its own; wider than a phone, it scrolls, also by keyboard."""
    formula = convert_formula(node.astext(), displaystyle=True)
    translator.body.append(f'<div class="formula" role="group" aria-label="Formula" tabindex="0">{formula}</div>')
    raise nodes.SkipNode


def convert_formula(latex: str, *, displaystyle: bool) -> str:
    """Return a formula as MathML."""
    return LatexToMathML().convert_with_local_state(latex, displaystyle=displaystyle)


def add_alt_texts(app: Sphinx, doctree: nodes.document) -> None:
    """Give each picture that a cell put out the text that its output has in the notebook."""
    path = app.env.doc2path(app.env.docname)
    if path.suffix != ".ipynb":
        return
    outputs = [output for cell in nbformat.read(path, as_version=4).cells for output in cell.get("outputs", [])]
    texts = [output.metadata["image/png"]["alt"] for output in outputs if "image/png" in output.get("data", {})]
    areas = [area for area in doctree.findall(nodes.container) if "cell_output" in area["classes"]]
    images = [image for area in areas for image in area.findall(nodes.image)]
    for image, text in zip(images, texts, strict=True):
        image["alt"] = text
