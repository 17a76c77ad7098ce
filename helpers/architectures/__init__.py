"""Networks from small blocks: each function takes a tensor and returns one; a network is a chain of them.

Every network takes raw pictures (RGB or one channel, 0 to 255) and scales them in its first layer, so that nobody can
forget to. The models come uncompiled: the loss and the optimizer are the lesson's choice.

- ``_blocks``: convolution, normalisation, pooling; what the other files put together
- ``_cnn``: the small network of the lessons, with blocks and options of your choice
- ``_source_notes``: the networks of the notes that this course grew from
- ``_mobilenet_v2``: the inverted residual, and the network that brought it
- ``_efficientnet_lite``: the network whose pretrained weights come with the course
- ``_lenet``, ``_vgg``, ``_googlenet``, ``_resnet``: the famous ones
- ``_small``: of each famous kind a small one, to compare them
- ``_cost``: what one picture costs
- ``_walk``: all layers of a model, those of models inside it too
"""

from helpers.architectures._blocks import (
    clone_initializer,
    convolution_block,
    flatten_or_average,
    l2_regularizer,
    normalised_block,
    normalised_convolution,
    separable_block,
    start,
    subtract_mean_bgr,
)
from helpers.architectures._cnn import build_cnn
from helpers.architectures._cost import (
    Costs,
    count_activation_bytes,
    count_costs,
    count_multiply_adds,
    count_parameter_bytes,
)
from helpers.architectures._efficientnet_lite import build_efficientnet_lite
from helpers.architectures._googlenet import build_googlenet, inception_module
from helpers.architectures._lenet import build_lenet5
from helpers.architectures._mobilenet_v2 import (
    build_mobilenet_v2,
    convolve,
    inverted_residual,
    normalise,
    round_filters,
)
from helpers.architectures._resnet import build_resnet50, conv_block, identity_block
from helpers.architectures._small import build_small
from helpers.architectures._source_notes import (
    build_cnn_a,
    build_cnn_c,
    build_cnn_d,
    build_cnn_e,
    build_cnn_e_grey,
    build_cnn_e_normalised,
)
from helpers.architectures._vgg import build_vgg16, build_vgg19, vgg_block
from helpers.architectures._walk import walk_layers

__all__ = [
    "Costs",
    "build_cnn",
    "build_cnn_a",
    "build_cnn_c",
    "build_cnn_d",
    "build_cnn_e",
    "build_cnn_e_grey",
    "build_cnn_e_normalised",
    "build_efficientnet_lite",
    "build_googlenet",
    "build_lenet5",
    "build_mobilenet_v2",
    "build_resnet50",
    "build_small",
    "build_vgg16",
    "build_vgg19",
    "clone_initializer",
    "conv_block",
    "convolution_block",
    "convolve",
    "count_activation_bytes",
    "count_costs",
    "count_multiply_adds",
    "count_parameter_bytes",
    "flatten_or_average",
    "identity_block",
    "inception_module",
    "inverted_residual",
    "l2_regularizer",
    "normalise",
    "normalised_block",
    "normalised_convolution",
    "round_filters",
    "separable_block",
    "start",
    "subtract_mean_bgr",
    "vgg_block",
    "walk_layers",
]
