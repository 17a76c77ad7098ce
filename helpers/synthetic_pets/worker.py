"""Draw many pictures on all processor cores, in order."""

from __future__ import annotations

from collections.abc import Iterator

from joblib import Parallel, delayed

from helpers.synthetic_pets.scene import draw_jpeg, draw_labels

IDLE = 30  # seconds after which a process without work ends and gives its memory back


def draw_many(*, seed: int, split: str, number: int, workers: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Draw the first pictures of a split.

    Args:
        seed: the data set's seed.
        split: "train", "validation" or "test".
        number: how many pictures.
        workers: how many processes draw; by default one per processor core that this process may use.

    Yields:
        (label, JPEG file's bytes), in the order of the pictures' numbers.

    Raises:
        ValueError: a split or seed that does not exist.
    """
    labels = draw_labels(seed=seed, split=split, number=number)
    tasks = (delayed(draw_jpeg)(label=label, seed=seed, split=split, index=index) for index, label in enumerate(labels))
    # Processes of their own, started anew: none inherits TensorFlow's threads or runs the caller's script again.
    parallel = Parallel(n_jobs=workers or -1, backend="loky", return_as="generator", idle_worker_timeout=IDLE)
    yield from zip(labels, parallel(tasks), strict=True)
