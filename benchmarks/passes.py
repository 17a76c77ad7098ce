"""Measure a pass, the unit in which this course states what things cost.

    python benchmarks/passes.py              # prints the seconds that one pass takes here and now

One pass is what the forward pass of EfficientNetLite0 over 2,000 pictures at 160 x 160 pixels takes. Machines differ by
a factor of four, and one machine does so from hour to hour; a cost stated in passes hardly does.
"""

import time

import numpy as np
import tensorflow as tf

from helpers import backbones

PICTURES = 2000
MEASURED = 480  # pictures; the rest is inferred
BATCH = 32
QUIET_PASS = 9.0  # seconds on a quiet machine with two cores: what stated minutes are for


def measure_pass() -> float:
    """Return the seconds that one pass takes here and now."""
    network = backbones.build("EfficientNetLite0", input_shape=(160, 160, 3))
    pictures = tf.constant(np.random.default_rng(0).integers(0, 256, (BATCH, 160, 160, 3)), dtype=tf.float32)
    forward = tf.function(lambda batch: network(batch, training=False))
    forward(pictures)  # traced, and every buffer allocated
    start = time.perf_counter()
    for _ in range(MEASURED // BATCH):
        forward(pictures)
    return (time.perf_counter() - start) * PICTURES / MEASURED


if __name__ == "__main__":
    print(f"{measure_pass():.1f}")
