"""One picture as an array: read it, make it grayscale, resize it, scale it, count its values.

Pictures are uint8 arrays of shape `(height, width, 3)`, channels in the order red, green, blue; values run
from 0 (none of that light) to 255 (all of it). Nothing here needs TensorFlow.
"""

from helpers.images._arrays import (
    CAFFE_MEAN_BGR,
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    LUMINOSITY_WEIGHTS,
    ResizeMode,
    ScaleMode,
    histogram,
    resize,
    scale,
    to_grey_luminosity,
    to_grey_mean,
    to_grey_mean_3d,
    unscale,
)
from helpers.images._decoding import (
    EXIF_ORIENTATION,
    IMAGE_SUFFIXES,
    OVERVIEW_SIDE,
    PNG_START,
    RAW_SUFFIXES,
    ROWS_AT_ONCE,
    SUFFIXES,
    Decoded,
    Image,
    UnreadableError,
    decode,
    pillow_is_quiet,
    png_parts,
)
from helpers.images._files import find_files, is_passed_over, is_picture, read_content, require_folder, scan, walk
from helpers.images._reading import read, read_with_matplotlib, read_with_opencv

__all__ = [
    "CAFFE_MEAN_BGR",
    "EXIF_ORIENTATION",
    "IMAGENET_DEVIATION",
    "IMAGENET_MEAN",
    "IMAGE_SUFFIXES",
    "LUMINOSITY_WEIGHTS",
    "OVERVIEW_SIDE",
    "PNG_START",
    "RAW_SUFFIXES",
    "ROWS_AT_ONCE",
    "SUFFIXES",
    "Decoded",
    "Image",
    "ResizeMode",
    "ScaleMode",
    "UnreadableError",
    "decode",
    "find_files",
    "histogram",
    "is_passed_over",
    "is_picture",
    "pillow_is_quiet",
    "png_parts",
    "read",
    "read_content",
    "read_with_matplotlib",
    "read_with_opencv",
    "require_folder",
    "resize",
    "scale",
    "scan",
    "to_grey_luminosity",
    "to_grey_mean",
    "to_grey_mean_3d",
    "unscale",
    "walk",
]
