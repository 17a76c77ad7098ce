"""Measurements: lines, bars, points, histograms, confusion matrices.

To the text of a chart its values are added: those who hear it know what came out, and the code gives away nothing.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from helpers.plotting._figures import (
    BLACK,
    BLUE,
    GREEN,
    LINE_COLOURS,
    ORANGE,
    display_figure,
    font_families,
    new_figure,
)

CHANNEL_COLOURS = {"red": ORANGE, "green": GREEN, "blue": BLUE, "grey": BLACK}
MOST_MARKED_VALUES = 5  # of a horizontal axis; with more, ticks where matplotlib puts them
MOST_LARGE_PLACES = 15  # classes of a confusion matrix; with more, smaller places


def show_history(history: Mapping[str, Sequence[float]], *, level: float | None = None, alt: str) -> None:
    """Show accuracy and loss over the epochs, training against validation.

    Args:
        history: what `model.fit(...).history` holds: `accuracy`, `loss` and, where there, `val_accuracy`, `val_loss`.
        level: the accuracy of guessing, where a dotted line is drawn.
        alt: what the figure shows.
    """
    figure, axes = new_figure(1, 2, size=(9, 3.2))
    drawn = {}
    for axis, metric in zip(axes[0], ("accuracy", "loss"), strict=True):
        lines = ((metric, "training", BLUE, "-"), (f"val_{metric}", "validation", ORANGE, "--"))
        for key, label, colour, style in lines:
            if key in history:
                epochs = np.arange(1, len(history[key]) + 1)
                axis.plot(epochs, history[key], style, marker="o", markersize=3, color=colour, label=label)
                drawn[f"{label} {metric}"] = history[key]
        axis.set(xlabel="epoch", ylabel=metric)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
    if level is not None:
        axes[0, 0].axhline(level, color=BLACK, linestyle=":", linewidth=1, label="guessing")
    for axis in axes[0]:
        axis.legend()
    display_figure(figure, alt=_add_values(alt, "first to last epoch", drawn))


def show_lines(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    x_label: str,
    y_label: str,
    log_x: bool = False,
    alt: str,
) -> None:
    """Show one line per entry of `lines`, each a pair of horizontal and vertical values."""
    figure, axes = new_figure(size=(6.5, 3.4))
    axis = axes[0, 0]
    for index, (label, (x, y)) in enumerate(lines.items()):
        axis.plot(x, y, marker="o", label=label, **_choose_look(index))
    _mark_values(axis, {value for x, _ in lines.values() for value in x}, log_x=log_x)
    axis.set(xlabel=x_label, ylabel=y_label)
    axis.grid(alpha=0.3)
    axis.legend()
    display_figure(
        figure, alt=_add_values(alt, f"{y_label}, first to last", {label: y for label, (_, y) in lines.items()})
    )


def show_spread(
    lines: Mapping[str, tuple[Sequence[float], np.ndarray]],
    *,
    x_label: str,
    y_label: str,
    log_x: bool = False,
    level: float | None = None,
    alt: str,
) -> None:
    """Show one line per entry of `lines`, its mean over seeds, with a band or bars of one standard error either way.

    Args:
        lines: by label, horizontal values and an array `(seeds, values)`.
        x_label: of the horizontal axis.
        y_label: of the vertical axis.
        log_x: logarithmic horizontal axis, with a tick at each value.
        level: where to draw a dotted horizontal line, such as no gain, or guessing.
        alt: what the figure shows.
    """
    figure, axes = new_figure(size=(6.5, 3.4))
    axis = axes[0, 0]
    for index, (label, (x, values)) in enumerate(lines.items()):
        values = np.asarray(values)
        mean, error = values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))
        axis.errorbar(x, mean, yerr=error, marker="o", markersize=4, capsize=3, label=label, **_choose_look(index))
    if level is not None:
        axis.axhline(level, color=BLACK, linestyle=":", linewidth=1)
    _mark_values(axis, {value for x, _ in lines.values() for value in x}, log_x=log_x)
    axis.set(xlabel=x_label, ylabel=y_label)
    axis.grid(alpha=0.3)
    if len(lines) > 1:
        axis.legend()
    means = {label: np.mean(values, axis=0) for label, (_, values) in lines.items()}
    display_figure(figure, alt=_add_values(alt, f"{y_label}, first to last", means))


def show_bars(bars: Mapping[str, float], *, x_label: str, alt: str) -> None:
    """Show one horizontal bar per entry of `bars`, the first on top, its value written at its end."""
    figure, axes = new_figure(size=(7, 0.6 + 0.42 * len(bars)))
    axis = axes[0, 0]
    drawn = axis.barh(list(bars), list(bars.values()), color=BLUE)
    axis.bar_label(drawn, fmt=_write_number, padding=3)
    axis.margins(x=0.15)
    axis.invert_yaxis()
    axis.set_xlabel(x_label)
    display_figure(figure, alt=_add_values(alt, x_label, bars))


def show_scatter(
    points: Mapping[str, tuple[float, float]], *, x_label: str, y_label: str, log_x: bool = False, alt: str
) -> None:
    """Show one point per entry of `points`, a horizontal and a vertical value, with its label beside it."""
    figure, axes = new_figure(size=(7.5, 4.2))
    axis = axes[0, 0]
    axis.scatter(*zip(*points.values(), strict=True), color=BLUE, zorder=2)
    for label, place in points.items():
        axis.annotate(label, place, xytext=(6, 4), textcoords="offset points", fontsize=9, color=BLACK)
    if log_x:
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter("{x:g}")  # 0.5, not 5 x 10^-1
        axis.minorticks_off()
    axis.margins(x=0.18, y=0.12)  # room for the labels
    axis.set(xlabel=x_label, ylabel=y_label)
    axis.grid(alpha=0.3)
    display_figure(figure, alt=_add_values(alt, f"{x_label} to {y_label}", points))


def show_histograms(histograms: Sequence[Mapping[str, np.ndarray]], *, titles: Sequence[str], alt: str) -> None:
    """Show histograms side by side, one line per channel.

    Args:
        histograms: each maps a channel (`red`, `green`, `blue`, `grey`) to counts; an `edges` entry, one longer than
            the counts, gives the horizontal axis (otherwise 0, 1, 2, ...).
        titles: one per histogram.
        alt: what the figure shows.
    """
    figure, axes = new_figure(1, len(histograms), size=(3.4 * len(histograms), 2.8))
    for axis, histogram, title in zip(axes[0], histograms, titles, strict=True):
        for channel, counts in histogram.items():
            if channel == "edges":
                continue
            edges = histogram.get("edges", np.arange(len(counts) + 1))
            axis.stairs(counts, edges, color=CHANNEL_COLOURS.get(channel, BLACK), label=channel)
        axis.set(title=title, xlabel="value", ylabel="pixels")
        axis.legend(fontsize=8)
    display_figure(figure, alt=alt)


def draw_confusion_matrix(matrix: np.ndarray, *, class_names: Sequence[str]) -> Figure:
    """Return a figure of a confusion matrix: rows are the true classes, columns the predicted ones.

    Args:
        matrix: int `(classes, classes)`, as `sklearn.metrics.confusion_matrix` gives it.
        class_names: in label order.
    """
    number = len(class_names)
    crowded = number > MOST_LARGE_PLACES  # then zeros, nearly all of it, are left out, and the rest is made to fit
    place = 0.7 * min(1.0, MOST_LARGE_PLACES / number)  # inches per class
    side = max(3.6, 1.0 + place * number)
    letters = {"fontsize": 10 * min(1.0, place / 0.35)}
    figure, axes = new_figure(size=(side + 0.6, side))
    axis = axes[0, 0]
    matrix = np.asarray(matrix)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        if count or not crowded:
            colour = "white" if shares[row, column] > 0.5 else BLACK
            axis.text(column, row, str(count), ha="center", va="center", color=colour, **letters)
    turned = 90 if crowded else 30 if number > 3 else 0
    axis.set_xticks(range(number), class_names, rotation=turned, fontfamily=font_families(), **letters)
    axis.set_yticks(range(number), class_names, fontfamily=font_families(), **letters)
    axis.set(xlabel="predicted", ylabel="true")
    return figure


def show_confusion_matrix(matrix: np.ndarray, *, class_names: Sequence[str], alt: str) -> None:
    """Show a confusion matrix: rows are the true classes, columns the predicted ones, numbers are pictures."""
    display_figure(draw_confusion_matrix(matrix, class_names=class_names), alt=alt)


def _choose_look(index: int) -> dict[str, str]:
    """Return how the line of that number differs from the others: not by its colour alone."""
    styles = ("-", "--", "-.", ":")
    return {"color": LINE_COLOURS[index % len(LINE_COLOURS)], "linestyle": styles[index % len(styles)]}


def _mark_values(axis: Axes, values: set[float], *, log_x: bool) -> None:
    """Put ticks on a horizontal axis: at each value if they are few or it is logarithmic, else at whole numbers."""
    ticks = sorted(values)
    if log_x:
        axis.set_xscale("log")
    if log_x or len(ticks) <= MOST_MARKED_VALUES:
        axis.set_xticks(ticks, [f"{value:g}" for value in ticks])
        axis.minorticks_off()
    elif all(float(value).is_integer() for value in values):  # there is no epoch 2.5
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))


def _add_values(alt: str, name: str, values: Mapping[str, float | Sequence[float]]) -> str:
    """Add to the text of a chart what was measured: by label one value, or the first and the last of several."""
    if not alt.strip():
        return alt  # which is refused where the figure is shown
    rows = {label: np.atleast_1d(row) for label, row in values.items()}
    texts = {label: " to ".join(map(_write_number, dict.fromkeys((row[0], row[-1])))) for label, row in rows.items()}
    return f"{alt} {name[:1].upper()}{name[1:]}: " + "; ".join(f"{label} {text}" for label, text in texts.items()) + "."


def _write_number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
