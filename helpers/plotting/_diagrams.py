"""Drawings of what cannot be photographed: neurons, blocks, grids of numbers, orders of pictures, who works when."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch, Rectangle

from helpers._quiet import without_remarks
from helpers.plotting._figures import (
    BLACK,
    BLUE,
    GRID_DOTS,
    LINE_COLOURS,
    ORANGE,
    display_figure,
    display_png,
    font_families,
    new_figure,
)

if TYPE_CHECKING:
    import keras

BOX_WIDTH, BOX_HEIGHT = 1.45, 0.45  # inches, with the space around it, in a diagram


def show_network(
    layers: Sequence[Sequence[str]],
    *,
    captions: Sequence[str],
    weights: Sequence[np.ndarray | None] = (),
    write_weights: bool = False,
    alt: str,
) -> None:
    """Show neurons as circles in one column per layer, each connected to all of the next layer.

    Args:
        layers: what stands in each circle, layer by layer.
        captions: one per layer, above its column.
        weights: one `(from, to)` array per gap between two layers, or None for plain lines. A positive weight is a blue
            line, a negative one a broken orange line, and the larger it is, the thicker.
        write_weights: whether to write each weight on its line.
        alt: what the figure shows.

    Raises:
        ValueError: if there is not one caption per layer, or not one array per gap.
    """
    if len(captions) != len(layers) or len(weights) not in (0, len(layers) - 1):
        raise ValueError(
            f"Received {len(captions)} captions and {len(weights)} arrays of weights for {len(layers)} layers, "
            "expected one caption per layer and one array per gap between two. Give as many, or no weights."
        )
    tallest = max(map(len, layers))
    figure, axes = new_figure(size=(2.4 * len(layers), 0.8 * tallest + 0.5))
    axis = axes[0, 0]
    axis.set(xlim=(-0.4, len(layers) - 0.6), ylim=(-0.5, tallest - 0.2))
    axis.axis("off")
    places = [
        [(x, (tallest - len(names)) / 2 + i) for i in reversed(range(len(names)))] for x, names in enumerate(layers)
    ]
    for gap, (left, right) in enumerate(pairwise(places)):
        table = weights[gap] if len(weights) else None
        for row, column in np.ndindex(len(left), len(right)):
            value = None if table is None else float(table[row, column])
            _draw_connection(axis, left[row], right[column], value, written=write_weights)
    for x, (names, caption) in enumerate(zip(layers, captions, strict=True)):
        axis.text(x, tallest - 0.45, caption, ha="center", va="bottom", fontsize=10)
        for name, place in zip(names, places[x], strict=True):
            circle = {"boxstyle": "circle,pad=0.35", "facecolor": "white", "edgecolor": BLACK}
            axis.text(*place, f"{name:^5}", ha="center", va="center", fontsize=10, bbox=circle, zorder=3)
    display_figure(figure, alt=alt)


def _draw_connection(
    axis: Axes, start: tuple[float, float], end: tuple[float, float], weight: float | None, *, written: bool
) -> None:
    """A line from one neuron to another, as `show_network` explains it."""
    look = {"color": "0.6", "linewidth": 1.0, "zorder": 1}
    if weight is not None:
        colour, style = (BLUE, "-") if weight >= 0 else (ORANGE, "--")
        look |= {"color": colour, "linestyle": style, "linewidth": 0.6 + min(abs(weight), 3.0)}
    axis.plot(*zip(start, end, strict=True), **look)
    if written and weight is not None:
        x, y = (one + 0.2 * (other - one) for one, other in zip(start, end, strict=True))
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
        axis.text(x, y, f"{weight:g}", ha="center", va="center", fontsize=9, color=look["color"], bbox=box, zorder=2)


def show_number_grids(
    grids: Mapping[str, np.ndarray], *, marked: Mapping[str, tuple[slice, slice]] | None = None, alt: str
) -> None:
    """Show small arrays side by side as grids of numbers, each under its name.

    Args:
        grids: by title, arrays `(rows, columns)` of whole numbers or floats.
        marked: by title, the rows and columns to frame: a window and what it gives, say.
        alt: what the figure shows.
    """
    widths = [grid.shape[1] for grid in grids.values()]
    tallest = max(grid.shape[0] for grid in grids.values())
    size = (0.45 * (sum(widths) + 2 * len(grids)), 0.45 * tallest + 0.5)
    figure, axes = new_figure(1, len(grids), size=size)
    axes[0, 0].get_gridspec().set_width_ratios(widths)
    for axis, (title, grid) in zip(axes[0], grids.items(), strict=True):
        columns = grid.shape[1]
        for (row, column), value in np.ndenumerate(grid):
            axis.add_patch(Rectangle((column, row), 1, 1, facecolor="none", edgecolor=BLACK, linewidth=0.6, alpha=0.5))
            axis.text(column + 0.5, row + 0.5, f"{value:g}", ha="center", va="center", fontsize=9)
        if marked and title in marked:
            (top, bottom, _), (left, right, _) = (
                part.indices(side) for part, side in zip(marked[title], grid.shape, strict=True)
            )
            axis.add_patch(
                Rectangle((left, top), right - left, bottom - top, facecolor="none", edgecolor=ORANGE, linewidth=2.5)
            )
        # The same heights for all, so that a cell has the same size in each.
        axis.set(xlim=(-0.1, columns + 0.1), ylim=(tallest + 0.1, -0.1), title=title, aspect="equal", anchor="N")
        axis.axis("off")
    display_figure(figure, alt=alt)


def show_strips(
    strips: Mapping[str, Sequence[int]],
    *,
    class_names: Sequence[str],
    numbers: Mapping[str, Sequence[int]] | None = None,
    frames: Mapping[str, tuple[int, int]] | None = None,
    x_label: str,
    alt: str,
) -> None:
    """Show in which order pictures come: one row of squares per entry, coloured by class.

    Args:
        strips: by row, the label of each picture.
        class_names: in label order.
        numbers: by row, what is written into its squares.
        frames: by row, the first square of a window that is framed, and the one behind its last.
        x_label: of the horizontal axis.
        alt: what the figure shows.
    """
    colours = [LINE_COLOURS[label % len(LINE_COLOURS)] for label in range(len(class_names))]
    look = {"aspect": "auto", "cmap": ListedColormap(colours), "vmin": -0.5, "vmax": len(colours) - 0.5}
    figure, axes = new_figure(len(strips), 1, size=(8, 0.9 + 0.42 * len(strips)))
    for axis, (name, labels) in zip(axes[:, 0], strips.items(), strict=True):
        axis.imshow(np.array(labels)[np.newaxis], **look)
        axis.set_xticks([])
        axis.set_yticks([0], [name])
        axis.tick_params(left=False)
        for place, number in enumerate(numbers[name] if numbers else ()):
            axis.text(place, 0, str(number), color="white", fontweight="bold", ha="center", va="center")
        if frames:
            first, end = frames[name]
            frame = {"fill": False, "edgecolor": BLACK, "linewidth": 4, "clip_on": False}
            axis.add_patch(Rectangle((first - 0.5, -0.5), end - first, 1, **frame))
    axes[-1, 0].set_xlabel(x_label)
    if len(class_names) <= len(LINE_COLOURS):  # with more, colours repeat and say little
        handles = [Patch(color=colour, label=name) for colour, name in zip(colours, class_names, strict=True)]
        figure.legend(handles=handles, loc="outside upper right", ncols=len(handles), prop={"family": font_families()})
    display_figure(figure, alt=alt)


def show_timeline(panels: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]], *, x_label: str, alt: str) -> None:
    """Show when who was at work: a panel per entry, in it a lane per worker, in it a numbered bar per (start, end)."""
    figure, axes = new_figure(len(panels), 1, size=(8, 0.5 + 1.25 * len(panels)))
    last = max(end for lanes in panels.values() for bars in lanes.values() for _, end in bars)
    for axis, (title, lanes) in zip(axes[:, 0], panels.items(), strict=True):
        for row, (colour, bars) in enumerate(zip(LINE_COLOURS, lanes.values(), strict=False)):
            axis.broken_barh(
                [(start, end - start) for start, end in bars], (row - 0.4, 0.8), facecolor=colour, edgecolor="white"
            )
            for number, (start, end) in enumerate(bars, start=1):
                axis.text((start + end) / 2, row, str(number), color="white", ha="center", va="center")
        axis.set_yticks(range(len(lanes)), list(lanes))
        axis.invert_yaxis()
        axis.set_xlim(0, 1.02 * last)
        axis.set_title(title, fontsize=10, loc="left")
    axes[-1, 0].set_xlabel(x_label)
    display_figure(figure, alt=alt)


def show_model(model: "keras.Model", *, alt: str) -> None:
    """Show a model as a graph: one box per layer, with the shapes that go in and come out.

    Keras describes the graph; Graphviz, which comes inside the pygraphviz package, lays it out.
    """
    import keras  # here, because every other figure does without TensorFlow
    import pygraphviz

    graph = keras.utils.model_to_dot(model, show_shapes=True, show_layer_names=True, dpi=GRID_DOTS * 3 // 4)
    with without_remarks():  # of the system's fonts
        picture = pygraphviz.AGraph(graph.to_string()).draw(format="png", prog="dot")
    display_png(picture, alt=alt)


def show_block_diagram(blocks: Mapping[str, Sequence[str | tuple[str, Sequence[Sequence[str]]]]], *, alt: str) -> None:
    """Show blocks of networks as boxes and arrows, side by side, each from top to bottom.

    Args:
        blocks: by title, the steps of a block. A step is the text of a layer, or a pair `(sign, columns)`: columns of
            layers that part here and meet again in the sign. With "+" the first column goes straight on and the others
            come from its right; an empty one is a shortcut. Any other sign, such as "concatenate", is a bar below
            them. The first and the last step are what goes in and comes out, and have no box.
        alt: what the figure shows.

    Example:
        >>> residual = ["x", ("+", [["3 x 3", "3 x 3"], []]), "F(x) + x"]
        >>> show_block_diagram({"residual block": residual}, alt="Two layers, and a line past them.")  # doctest: +SKIP
    """
    sizes = [[_measure_step(step) for step in steps] for steps in blocks.values()]
    columns = [max(width for width, _ in size) for size in sizes]
    width = sum(columns) + 0.3 * (len(columns) - 1)
    height = max(sum(height for _, height in size) for size in sizes) + 0.5
    figure, axes = new_figure(size=(BOX_WIDTH * width, BOX_HEIGHT * height))
    axis = axes[0, 0]
    axis.set(xlim=(0, width), ylim=(0.5 - height, 1.0))
    axis.axis("off")
    left = 0.0
    for (title, steps), number in zip(blocks.items(), columns, strict=True):
        axis.text(left + number / 2, 0.8, title, ha="center", va="center", fontsize=10, fontweight="bold")
        _draw_block(axis, steps, left=left, width=number)
        left += number + 0.3
    display_figure(figure, alt=alt)


def _measure_step(step: str | tuple[str, Sequence[Sequence[str]]]) -> tuple[int, int]:
    """How many boxes a step is wide, and how many high."""
    return (1, 1) if isinstance(step, str) else (len(step[1]), 1 + max(map(len, step[1])))


def _draw_block(axis: Axes, steps: Sequence[str | tuple], *, left: float, width: int) -> None:
    adds = any(isinstance(step, tuple) and step[0] == "+" for step in steps)
    middle, y = left + (0.5 if adds else width / 2), 0.0
    for index, step in enumerate(steps):
        if isinstance(step, tuple):
            y = _draw_columns(axis, *step, middle=middle, top=y)
        else:
            if index:
                _draw_arrow(axis, (middle, y + 0.7), (middle, y + 0.3))
            _draw_box(axis, step, (middle, y), bare=index in (0, len(steps) - 1))
        y -= 1


def _draw_columns(axis: Axes, sign: str, columns: Sequence[Sequence[str]], *, middle: float, top: float) -> float:
    """Draw columns of layers from `top` on, and below them their sign; return where that is."""
    adds = sign == "+"
    first = middle if adds else middle - (len(columns) - 1) / 2
    y_sign = top - max(map(len, columns))
    for number, layers in enumerate(columns):
        x, colour = first + number * (1.0 if layers else 0.75), BLACK if layers else ORANGE
        points = [(middle, top + 0.7)] * (number == 0) + [(middle, top + 0.5), (x, top + 0.5)]
        for row, layer in enumerate(layers):
            _draw_arrow(axis, *points, (x, top - row + 0.3))
            _draw_box(axis, layer, (x, top - row))
            points = [(x, top - row - 0.3)]
        ends = ((x, y_sign), (middle + 0.13, y_sign)) if adds and number else ((x, y_sign + 0.3),)
        _draw_arrow(axis, *points, *ends, colour=colour)
    if adds:
        axis.plot(middle, y_sign, marker="o", markersize=17, markerfacecolor="white", markeredgecolor=BLACK, zorder=3)
        axis.text(middle, y_sign, "+", ha="center", va="center_baseline", fontsize=13, zorder=4)
    else:
        _draw_box(axis, sign, (middle, y_sign), width=len(columns) - 0.1)
    return y_sign


def _draw_box(axis: Axes, text: str, centre: tuple[float, float], *, width: float = 0.9, bare: bool = False) -> None:
    x, y = centre
    if not bare:
        axis.add_patch(Rectangle((x - width / 2, y - 0.3), width, 0.6, facecolor="#DCEAF5", edgecolor=BLUE, zorder=2))
    axis.text(x, y, text, ha="center", va="center", fontsize=8.5, color=BLACK, zorder=3)


def _draw_arrow(axis: Axes, *points: tuple[float, float], colour: str = BLACK) -> None:
    """Draw a line through points, with an arrow's head at the last."""
    look = {"color": colour, "linewidth": 1.2 if colour == BLACK else 2.2}
    axis.plot(*zip(*points[:-1], strict=True), **look)
    head = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, **look}
    axis.annotate("", xy=points[-1], xytext=points[-2], arrowprops=head)
