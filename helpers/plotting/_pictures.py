"""Pictures in grids: as they are, with right and wrong, with heat maps; what layers make of them."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from helpers.plotting._figures import BLACK, BLUE, GRID_DOTS, ORANGE, display_figure, font_families, new_figure

PICTURE_WIDTH = 1.75  # inches, in a grid of pictures
FEW_WIDTH, LARGEST_WIDTH = 6.4, 3.2  # inches that few pictures share; and the most that one gets
SMALL_WIDTH = 1.0  # inches, in a grid of feature maps or filters


def show_images(
    images: Sequence[np.ndarray],
    *,
    titles: Sequence[str] | None = None,
    columns: int = 5,
    correct: Sequence[bool] | None = None,
    colours: int | None = None,
    alt: str,
) -> None:
    """Show pictures in a grid.

    Args:
        images: uint8 `(height, width, 3)` or `(height, width)` arrays (those are shown in grey), or floats in 0..1.
        titles: one per picture.
        columns: pictures per row.
        correct: one per picture: right answers get a blue frame and title, wrong ones an orange title and a broken
            orange frame with a cross in its corner.
        colours: in all, at most 256, so that many photos make a small file; None for all that there are.
        alt: what the figure shows.

    Raises:
        ValueError: if there is no picture, or the number of titles differs from the number of pictures.
    """
    images = list(images)
    if not images:
        raise ValueError("Received no pictures, expected at least one. Check the selection before showing it.")
    for name, values in (("titles", titles), ("correct", correct)):
        if values is not None and len(values) != len(images):
            raise ValueError(
                f"Received {len(values)} {name} for {len(images)} pictures, expected as many. Give one per picture."
            )
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    lines = 0 if titles is None else 1 + max(title.count("\n") for title in titles)
    tallest = max(image.shape[0] / image.shape[1] for image in map(np.asarray, images))
    width = max(PICTURE_WIDTH, min(LARGEST_WIDTH, FEW_WIDTH / columns))
    height = width * min(tallest, 1.2) + 0.18 * lines + 0.05
    figure, axes = new_figure(rows, columns, size=(width * columns, height * rows), dots=GRID_DOTS)
    for axis in axes.flat:
        axis.axis("off")
    for index, (axis, image) in enumerate(zip(axes.flat, images, strict=False)):
        _draw_image(axis, image)
        colour = BLACK if correct is None else (BLUE if correct[index] else ORANGE)
        if correct is not None:
            _draw_frame(axis, right=bool(correct[index]))
        if titles is not None:
            axis.set_title(titles[index], fontsize=9, color=colour, fontfamily=font_families())
    display_figure(figure, colours=colours, alt=alt)


def show_heatmaps(
    pictures: Sequence[np.ndarray], maps: Sequence[np.ndarray], *, titles: Sequence[str], columns: int = 4, alt: str
) -> None:
    """Show pictures in grey and over each, in colour, a map of its places, all on one scale, which stands beside them.

    Args:
        pictures: `(height, width, 3)` in 0..255.
        maps: float, one per picture, of any height and width: stretched over it. Below 0 is shown as 0.
        titles: one per picture.
        columns: pictures per row.
        alt: what the figure shows.

    Raises:
        ValueError: if the numbers of pictures, maps and titles differ, or there is none.
    """
    if not len(pictures) == len(maps) == len(titles) > 0:
        raise ValueError(
            f"Received {len(pictures)} pictures, {len(maps)} maps and {len(titles)} titles, expected as many of each. "
            "Give lists of one length."
        )
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    lines = 1 + max(title.count("\n") for title in titles)
    size = (PICTURE_WIDTH * columns + 0.8, (PICTURE_WIDTH + 0.25 * lines + 0.05) * rows)
    figure, axes = new_figure(rows, columns, size=size, dots=GRID_DOTS)
    largest = max(float(np.max(one)) for one in maps)
    scale = {"cmap": "inferno", "norm": Normalize(0, largest if largest > 0 else 1)}
    for axis in axes.flat:
        axis.axis("off")
    for axis, picture, one, title in zip(axes.flat, pictures, maps, titles, strict=False):
        height, width = picture.shape[:2]
        place = {"extent": (0, width, height, 0), "aspect": "equal"}
        axis.imshow(np.mean(picture, axis=2), cmap="gray", vmin=0, vmax=255, **place)
        shares = np.clip(scale["norm"](one), 0, 1)  # what does not matter stays grey
        axis.imshow(one, alpha=0.8 * shares, interpolation="bilinear", **scale, **place)
        axis.set_title(title, fontsize=9, fontfamily=font_families())
    figure.colorbar(ScalarMappable(**scale), ax=axes, aspect=30, shrink=0.9, pad=0.01)
    display_figure(figure, alt=alt)


def show_feature_maps(maps: np.ndarray, *, columns: int = 8, alt: str) -> None:
    """Show the maps of one layer in a grid, all on one scale of grey, which stands beside them.

    Args:
        maps: float `(height, width, channels)`, as `explain.feature_maps` gives it.
        columns: maps per row.
        alt: what the figure shows.

    Raises:
        ValueError: if `maps` has another number of dimensions, or no map.
    """
    maps = np.asarray(maps)
    if maps.ndim != 3 or not maps.size:
        raise ValueError(
            f"Received maps of shape {maps.shape}, expected (height, width, channels). "
            "Pass the maps of one layer and one picture."
        )
    limits = {"cmap": "gray", "vmin": maps.min(), "vmax": maps.max()}
    figure, axes = _new_grid(maps.shape[2], columns=columns, ratio=maps.shape[0] / maps.shape[1], beside=0.9)
    for axis, one in zip(axes.flat, np.moveaxis(maps, 2, 0), strict=False):
        drawn = axis.imshow(one, **limits)
    figure.colorbar(drawn, ax=axes, aspect=30, shrink=0.9, pad=0.01)
    display_figure(figure, alt=alt)


def show_gallery(
    before: np.ndarray, rows: Mapping[str, Mapping[str, np.ndarray]], *, columns: int = 4, alt: str
) -> None:
    """Show what was made of one picture, on one page: groups of pictures with names, the original before each row.

    Args:
        before: uint8 `(height, width, 3)`.
        rows: by heading of a group, pictures by caption. A line break in a caption parts a name from its arguments.
        columns: changed pictures per row, beside the original.
        alt: what the figure shows.
    """
    tiles: list[list[tuple[str, np.ndarray]]] = []
    for heading, pictures in rows.items():
        items = list(pictures.items())
        starts = range(0, len(items), columns)
        tiles += [[(f"{heading}\noriginal", before), *items[start : start + columns]] for start in starts]
    lines = 1 + max(caption.count("\n") for row in tiles for caption, _ in row)
    height = PICTURE_WIDTH + 0.17 * lines
    size = (PICTURE_WIDTH * (columns + 1), height * len(tiles))
    figure, axes = new_figure(len(tiles), columns + 1, size=size, dots=GRID_DOTS)
    for axis in axes.flat:
        axis.axis("off")
    for row, row_axes in zip(tiles, axes, strict=True):
        for (caption, picture), axis in zip(row, row_axes, strict=False):
            _draw_image(axis, picture)
            original = picture is before
            look = {"color": BLUE, "fontweight": "bold"} if original else {"color": BLACK}
            text = axis.text(0.5, -0.04, caption, transform=axis.transAxes, ha="center", va="top", fontsize=8, **look)
            text.set_in_layout(False)  # a long line must not make the pictures small
    figure.get_layout_engine().set(h_pad=0.08 * lines, hspace=0)
    display_figure(figure, alt=alt)


def _new_grid(count: int, *, columns: int, ratio: float, beside: float = 0.0) -> tuple[Figure, np.ndarray]:
    """A figure with a place for each of `count` small pictures of a ratio of height to width, without axes."""
    columns = min(columns, count)
    rows = -(-count // columns)
    size = (SMALL_WIDTH * columns + beside, SMALL_WIDTH * min(ratio, 1.5) * rows)
    figure, axes = new_figure(rows, columns, size=(max(size[0], 2.6), max(size[1], 1.6)), dots=GRID_DOTS)
    for axis in axes.flat:
        axis.axis("off")
    return figure, axes


def _draw_image(axis: Axes, image: np.ndarray) -> None:
    image = np.asarray(image)
    limits = {"vmin": 0, "vmax": 255 if np.issubdtype(image.dtype, np.integer) else 1}
    axis.imshow(image, **({"cmap": "gray", **limits} if image.ndim == 2 else {}))


def _draw_frame(axis: Axes, *, right: bool) -> None:
    """Frame a picture so that right and wrong differ in colour, in line and in a sign."""
    colour = BLUE if right else ORANGE
    on_axis = {"transform": axis.transAxes, "clip_on": False, "zorder": 3}
    if not right:  # white between the dashes, or they are lost on a picture of their colour
        axis.add_patch(Rectangle((0, 0), 1, 1, fill=False, edgecolor="white", linewidth=4, **on_axis))
    line = {"linewidth": 3 if right else 4, "linestyle": "-" if right else (0, (2.5, 1.5))}
    axis.add_patch(Rectangle((0, 0), 1, 1, fill=False, edgecolor=colour, **line, **on_axis))
    sign = {"color": "white", "fontsize": 9, "fontweight": "bold", "ha": "right", "va": "top", "zorder": 4}
    box = {"facecolor": colour, "edgecolor": "none", "boxstyle": "square,pad=0.15"}
    axis.text(1, 1, "✓" if right else "✗", transform=axis.transAxes, bbox=box, **sign)
