"""Every figure of the course, each with a text for those who cannot see it.

All functions show a figure and return nothing. `alt` is required: one sentence that says what the picture shows and
what to see in it. Colours come from the Okabe-Ito palette, which colour-blind readers can tell apart.
"""

from helpers.plotting._charts import (
    draw_confusion_matrix,
    show_bars,
    show_confusion_matrix,
    show_histograms,
    show_history,
    show_lines,
    show_scatter,
    show_spread,
)
from helpers.plotting._diagrams import (
    show_block_diagram,
    show_model,
    show_network,
    show_number_grids,
    show_strips,
    show_timeline,
)
from helpers.plotting._figures import (
    BLACK,
    BLUE,
    CHART_DOTS,
    GREEN,
    GRID_DOTS,
    LINE_COLOURS,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    YELLOW,
    as_png,
    display_figure,
    font_families,
    new_figure,
)
from helpers.plotting._pictures import (
    SMALL_WIDTH,
    show_feature_maps,
    show_gallery,
    show_heatmaps,
    show_images,
)

__all__ = [
    "BLACK",
    "BLUE",
    "CHART_DOTS",
    "GREEN",
    "GRID_DOTS",
    "LINE_COLOURS",
    "ORANGE",
    "PURPLE",
    "RED",
    "SKY",
    "SMALL_WIDTH",
    "YELLOW",
    "as_png",
    "display_figure",
    "draw_confusion_matrix",
    "font_families",
    "new_figure",
    "show_bars",
    "show_block_diagram",
    "show_confusion_matrix",
    "show_feature_maps",
    "show_gallery",
    "show_heatmaps",
    "show_histograms",
    "show_history",
    "show_images",
    "show_lines",
    "show_model",
    "show_network",
    "show_number_grids",
    "show_scatter",
    "show_spread",
    "show_strips",
    "show_timeline",
]
