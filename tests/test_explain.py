"""helpers.explain: what is shown of a network is what it computes, however the network was put together."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from helpers import architectures, explain
from tests.conftest import keras_and_numpy_2

pytestmark = keras_and_numpy_2

PICTURE = np.random.default_rng(0).integers(0, 256, (16, 12, 3), dtype=np.uint8)


def build_plain() -> keras.Model:
    return architectures.build_cnn(input_shape=(16, 12, 3), num_classes=2, filters=(4, 5))


def build_sequential() -> keras.Model:
    stack = [keras.Input((16, 12, 3)), layers.Rescaling(1 / 255, name="preprocessing")]
    for number, filters in ((1, 4), (2, 5)):
        stack += [
            layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"block{number}_conv"),
            layers.MaxPooling2D(name=f"block{number}_pool"),
        ]
    return keras.Sequential([*stack, layers.Flatten(), layers.Dense(2, activation="softmax")])


def put_inside(inner: keras.Model) -> keras.Model:
    """A model that turns the picture upside down before the other one sees it."""
    pictures = keras.Input((16, 12, 3))
    upside_down = keras.ops.flip(pictures, axis=1)
    return keras.Model(pictures, inner(layers.RandomFlip("vertical")(upside_down), training=False))


def put_inside_sequential(inner: keras.Model) -> keras.Model:
    return keras.Sequential([keras.Input((16, 12, 3)), layers.RandomFlip(), inner])


def put_inside_twice(inner: keras.Model) -> keras.Model:
    return put_inside_sequential(put_inside(inner))


def save_and_load(model: keras.Model, folder: Path) -> keras.Model:
    model.save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras")


def compile_and_fit(model: keras.Model) -> keras.Model:
    model.compile("adam", "sparse_categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)  # in `fit`, the whole would be traced twice for it
    model.fit(PICTURE[None].astype("float32"), np.array([1]), verbose=0)
    return model


WAYS: dict[str, tuple[Callable[[], keras.Model], Callable[[keras.Model], keras.Model], bool]] = {
    "functional": (build_plain, lambda model: model, False),
    "sequential": (build_sequential, lambda model: model, False),
    "fitted": (lambda: compile_and_fit(build_plain()), lambda model: model, False),
    "inside": (build_plain, put_inside, True),
    "sequential inside": (build_sequential, put_inside, True),
    "inside sequential": (build_plain, put_inside_sequential, False),
    "inside what is inside": (build_plain, put_inside_twice, True),
    "inside, fitted": (build_plain, lambda model: compile_and_fit(put_inside(model)), True),
}


def compute_by_hand(model: keras.Model, picture: np.ndarray) -> dict[str, np.ndarray]:
    """The maps of the two blocks, from the weights and TensorFlow's own operations."""
    import tensorflow as tf

    x, maps = picture[None].astype(np.float32) / 255, {}
    for number in (1, 2):
        kernel, bias = model.get_layer(f"block{number}_conv").get_weights()
        x = tf.nn.conv2d(x, kernel, strides=1, padding="SAME") + bias
        maps[f"block{number}_conv"] = x[0].numpy()
        x = tf.nn.max_pool2d(tf.nn.relu(x), 2, strides=2, padding="VALID")
    return maps


@cache
def put_together(way: str) -> tuple[keras.Model, keras.Model]:
    """The network with the blocks and the model around it; looking changes neither, as a test below shows."""
    build, wrap, _ = WAYS[way]
    inner = build()
    return inner, wrap(inner)


@pytest.mark.parametrize("reload", [False, True], ids=["as built", "reloaded"])
@pytest.mark.parametrize("way", WAYS)
def test_maps_are_what_the_network_computes(way: str, reload: bool, tmp_path: Path) -> None:
    inner, model = put_together(way)
    flipped = WAYS[way][2]
    expected = compute_by_hand(inner, PICTURE[::-1] if flipped else PICTURE)
    if reload:
        model = save_and_load(model, tmp_path)
    activations = explain.activation_maps(model, PICTURE)
    assert list(activations) == ["block1_conv", "block2_conv"]
    for name, maps in expected.items():
        assert maps.min() < 0 < maps.max()
        before = explain.feature_maps(model, PICTURE, layer_name=name)
        assert before.dtype == np.float32
        np.testing.assert_allclose(before, maps, atol=1e-4)
        np.testing.assert_allclose(activations[name], np.maximum(maps, 0), atol=1e-4)
    assert explain.feature_maps(model, PICTURE, layer_name="block2_pool").shape == (4, 3, 5)


def test_looking_changes_nothing() -> None:
    inner = build_plain()
    model = compile_and_fit(put_inside(inner))
    names = [layer.name for layer in model.layers]
    weights, optimiser = model.get_weights(), [variable.numpy() for variable in model.optimizer.variables]
    before = model(PICTURE[None], training=False).numpy()
    for _ in range(2):
        explain.activation_maps(model, PICTURE)
        explain.feature_maps(model, PICTURE, layer_name="block1_conv")
    for old, new in zip(weights + optimiser, model.get_weights() + model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_array_equal(model(PICTURE[None], training=False), before)
    assert [layer.name for layer in model.layers] == names
    assert inner.get_layer("block1_conv").output.shape == (None, 16, 12, 4)
    model.fit(PICTURE[None].astype("float32"), np.array([1]), verbose=0)


def test_a_network_can_still_be_saved_after_looking(tmp_path: Path) -> None:
    model = put_inside(build_plain())
    maps = explain.activation_maps(model, PICTURE)
    again = explain.activation_maps(save_and_load(model, tmp_path), PICTURE)
    assert maps.keys() == again.keys()
    np.testing.assert_allclose(maps["block2_conv"], again["block2_conv"], atol=1e-6)


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (architectures.convolution_block, ["block1_conv", "block2_conv"]),
        (architectures.normalised_block, ["block1_relu", "block2_relu"]),
        (architectures.separable_block, ["block1_conv", "block2_conv"]),
    ],
)
def test_activation_maps_are_taken_behind_the_activation(block, expected: list[str]) -> None:
    model = architectures.build_cnn(input_shape=(16, 12, 3), num_classes=2, filters=(4, 5), block=block)
    maps = explain.activation_maps(model, PICTURE)
    assert list(maps) == expected
    assert [values.shape for values in maps.values()] == [(16, 12, 4), (8, 6, 5)]
    assert all(values.min() >= 0 for values in maps.values())
    assert explain.feature_maps(model, PICTURE, layer_name="block1_conv").min() < 0


def test_a_deep_backbone_with_branches_inside_a_model() -> None:
    backbone = architectures.build_efficientnet_lite(input_shape=(64, 64, 3), include_top=False)
    inputs = keras.Input((64, 64, 3))
    model = keras.Model(inputs, layers.GlobalAveragePooling2D()(backbone(inputs, training=False)))
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    maps = explain.activation_maps(model, picture)
    assert len(maps) == 1 + 1 + 2 * 15 + 1  # stem; one block of one, fifteen of two; top
    assert (list(maps)[:1], list(maps)[-1:]) == (["stem_relu"], ["top_relu"])
    np.testing.assert_allclose(maps["top_relu"], backbone(picture[None], training=False)[0], atol=1e-4)


def test_dropout_and_noise_are_off() -> None:
    inputs = keras.Input((16, 12, 3))
    x = layers.GaussianNoise(1.0)(layers.Dropout(0.5)(inputs))
    model = keras.Model(inputs, layers.ReLU(name="out")(x))
    np.testing.assert_array_equal(explain.activation_maps(model, PICTURE)["out"], PICTURE)


def test_names_that_come_twice() -> None:
    inner = build_plain()
    inputs = keras.Input((16, 12, 3))
    model = keras.Model(inputs, inner(layers.Conv2D(3, 1, activation="relu", name="block1_conv")(inputs)))
    assert list(explain.activation_maps(model, PICTURE)) == ["block1_conv", "cnn/block1_conv", "block2_conv"]
    with pytest.raises(ValueError, match=r"Received layer name 'block1_conv', expected a name that comes once among"):
        explain.feature_maps(model, PICTURE, layer_name="block1_conv")
    assert explain.feature_maps(inner, PICTURE, layer_name="block1_conv").shape == (16, 12, 4)


def test_grey_pictures_and_sizes_that_vary() -> None:
    model = architectures.build_cnn(input_shape=(None, None, 1), num_classes=2, pooling="average")
    for height, width in ((9, 8), (20, 31)):
        maps = explain.feature_maps(model, np.zeros((height, width, 1)), layer_name="block1_conv")
        assert maps.shape == (height, width, 32)


# --- What cannot be looked into -----------------------------------------------------------------------------


class Own(keras.Model):
    """A class with a `call` of its own: nobody can tell from outside how its layers are joined."""

    def __init__(self) -> None:
        super().__init__()
        self.first = layers.Conv2D(3, 3, activation="relu")

    def call(self, inputs):
        return self.first(inputs)


LOOKS = {
    "feature maps": partial(explain.feature_maps, picture=PICTURE, layer_name="conv"),
    "activation maps": partial(explain.activation_maps, picture=PICTURE),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_a_sequential_model_without_shapes_is_told_what_it_needs(look) -> None:
    model = keras.Sequential([layers.Conv2D(3, 3, name="conv", activation="relu")], name="new")
    with pytest.raises(
        ValueError, match=r"Received the Sequential model 'new' without shapes, expected one that is built\. Begin"
    ):
        look(model)
    model(PICTURE[None])
    look(model)


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_other_models_are_refused(look) -> None:
    own = Own()
    own(PICTURE[None].astype("float32"))
    two = [keras.Input((16, 12, 3)), keras.Input((16, 12, 3))]
    for model in (own, keras.Model(two, layers.Conv2D(3, 3)(layers.Add()(two)))):
        with pytest.raises(
            ValueError, match=r"expected a Functional or Sequential model with one input and one output\. Build"
        ):
            look(model)


@pytest.mark.parametrize("shape", [(1, 16, 12, 3), (16, 12), (12, 16, 3), (16, 12, 1)])
def test_a_picture_of_the_wrong_shape_is_refused(shape: tuple[int, ...]) -> None:
    for look in (explain.activation_maps, partial(explain.feature_maps, layer_name="block1_conv")):
        with pytest.raises(ValueError, match=r"Received a picture of shape .*, expected \(16, 12, 3\)\. Resize it"):
            look(build_plain(), np.zeros(shape))


def test_a_layer_without_a_map_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'flatten', whose result has the shape \(1, 60\), expected a map"):
        explain.feature_maps(build_plain(), PICTURE, layer_name="flatten")
    with pytest.raises(ValueError, match=r"Received layer name 'nowhere', .*'block1_conv'.*Choose one of them"):
        explain.feature_maps(build_plain(), PICTURE, layer_name="nowhere")


def test_a_model_without_convolutions_is_refused() -> None:
    model = keras.Sequential([keras.Input((16, 12, 3)), layers.Flatten(), layers.Dense(2, activation="softmax")])
    with pytest.raises(ValueError, match="Received a model without an activation before its maps are flattened"):
        explain.activation_maps(model, PICTURE)


def test_a_prelu_is_an_activation_with_weights() -> None:
    stack = [keras.Input((8, 8, 3)), layers.Conv2D(4, 3, name="conv"), layers.PReLU(name="bend"), layers.Flatten()]
    model = keras.Sequential([*stack, layers.Dense(2)])
    picture = np.random.default_rng(0).uniform(0, 255, size=(8, 8, 3)).astype(np.float32)
    bent = keras.Sequential(model.layers[:2])(picture[None])[0]
    np.testing.assert_allclose(explain.feature_maps(model, picture, layer_name="bend"), bent, rtol=1e-5)


# --- Grad-CAM and occlusion -----------------------------------------------------------------------------------

RED_AND_GREEN = np.zeros((8, 8, 3), np.uint8)
RED_AND_GREEN[1:3, 1:4, 0] = 200  # speaks for the first class
RED_AND_GREEN[5:7, 4:8, 1] = 100  # speaks against it
BY_HAND = {0: RED_AND_GREEN[..., 0] / 200, 1: RED_AND_GREEN[..., 1] / 100}


def make_layers(units: int, activation: str | None) -> list[keras.Layer]:
    """Maps of red and of green, and a head: the first class grows with red and falls with green, and the other way."""
    channels = np.eye(3, 2, dtype=np.float32).reshape(1, 1, 3, 2)
    weights = np.array([[1.0, -1.0], [-1.0, 1.0]])[:, 2 - units :]
    conv = layers.Conv2D(
        2, 1, activation="relu", kernel_initializer=keras.initializers.Constant(channels), name="colours"
    )
    dense = layers.Dense(units, activation=activation, kernel_initializer=keras.initializers.Constant(weights))
    return [conv, layers.GlobalAveragePooling2D(), dense]


def chain(parts: list[keras.Layer]) -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    x = inputs
    for part in parts:
        x = part(x)
    return keras.Model(inputs, x)


def build_with_backbone(units: int, activation: str | None) -> keras.Model:
    maps, *head = make_layers(units, activation)
    return chain([chain([maps]), *head])


def build_all_inside(units: int, activation: str | None) -> keras.Model:
    """The maps, too, are found only inside the inner network, beside which the outer one has a layer of that name."""
    inner = chain(make_layers(units, activation))
    return keras.Sequential([keras.Input((8, 8, 3)), layers.Rescaling(1.0, name="colours"), inner])


BUILD: dict[str, Callable[[int, str | None], keras.Model]] = {
    "sequential": lambda *end: keras.Sequential([keras.Input((8, 8, 3)), *make_layers(*end)]),
    "functional": lambda *end: chain(make_layers(*end)),
    "backbone inside": build_with_backbone,
    "all inside": build_all_inside,
}
ENDS = {
    "softmax": (2, "softmax", []),
    "sigmoid": (1, "sigmoid", []),
    "scores": (2, None, []),
    "softmax apart": (2, None, [layers.Softmax(), layers.Activation("linear")]),
}


@pytest.mark.parametrize("reload", [False, True], ids=["as built", "reloaded"])
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("kind", BUILD)
def test_grad_cam_is_what_is_worked_out_by_hand(kind: str, end: str, reload: bool, tmp_path: Path) -> None:
    units, activation, after = ENDS[end]
    model = BUILD[kind](units, activation)
    if after:
        model = keras.Sequential([model, *after])
    model.trainable = kind != "functional"
    if reload:
        model = save_and_load(model, tmp_path)
    for label, expected in BY_HAND.items():
        heat = explain.grad_cam(model, RED_AND_GREEN, label=label)
        assert heat.dtype == np.float32
        np.testing.assert_allclose(heat, expected, atol=1e-6)
    # There is more red than green, so that the first class is the more probable one.
    np.testing.assert_allclose(explain.grad_cam(model, RED_AND_GREEN), BY_HAND[0], atol=1e-6)


def test_grad_cam_weighs_each_map_by_its_mean_slope() -> None:
    """On a network whose slopes differ from place to place, against the paper's formula and finite differences."""
    model = build_sequential()
    batch = PICTURE[None].astype("float32")
    rest = model.layers[-2:]
    maps = np.asarray(keras.Sequential(model.layers[:-2])(batch))
    kernel = rest[-1].get_weights()[0]  # (places x channels, classes)
    weights = kernel[:, 1].reshape(maps.shape[1:]).mean(axis=(0, 1))  # of each map: the mean slope of the score
    expected = np.maximum((maps[0] * weights).sum(axis=-1), 0)
    heat = explain.grad_cam(model, PICTURE, label=1, layer_name="block2_pool")
    np.testing.assert_allclose(heat, expected / max(expected.max(), 1e-12), atol=1e-5)
    assert explain.grad_cam(model, PICTURE).shape == (8, 6)  # of the last convolution, before pooling


def test_grad_cam_sees_what_a_certain_network_looks_at() -> None:
    model = build_with_backbone(2, "softmax")
    model.layers[-1].set_weights([1000 * weight for weight in model.layers[-1].get_weights()])
    assert model(RED_AND_GREEN[None]).numpy().max() == 1
    np.testing.assert_allclose(explain.grad_cam(model, RED_AND_GREEN), BY_HAND[0], atol=1e-6)


def test_grad_cam_is_empty_where_nothing_speaks_for_a_class() -> None:
    only_green = RED_AND_GREEN * np.array([0, 1, 0], np.uint8)
    heat = explain.grad_cam(build_with_backbone(2, "softmax"), only_green, label=0)
    np.testing.assert_array_equal(heat, np.zeros((8, 8)))


def test_occlusion_loses_probability_where_the_class_is() -> None:
    for units, activation in ((2, "softmax"), (1, "sigmoid")):
        model = chain(make_layers(units, activation))
        lost = explain.occlusion(model, RED_AND_GREEN, label=0, patch=2, stride=1)
        assert lost.shape == (8, 8) and lost.dtype == np.float32
        assert np.unravel_index(lost.argmax(), lost.shape)[0] in (1, 2)
        assert lost[5:7, 5:7].max() < 0  # without green, red is the more probable
        np.testing.assert_allclose(
            explain.occlusion(model, RED_AND_GREEN, label=1, patch=2, stride=1), -lost, atol=1e-6
        )


def test_occlusion_covers_each_pixel_as_often() -> None:
    """A network that adds up all pixels loses at each what stands there, whatever the steps."""
    flat = [layers.Flatten(), layers.Dense(1, kernel_initializer=keras.initializers.Constant(1 / 300), use_bias=False)]
    model = keras.Sequential([keras.Input((10, 10, 3)), *flat])
    picture = np.zeros((10, 10, 3))
    picture[4:6] = 100
    lost = explain.occlusion(model, picture, label=1, patch=1, stride=1)
    np.testing.assert_allclose(lost, (picture.mean(axis=2) - 20) / 100, atol=1e-5)
    assert np.isfinite(explain.occlusion(model, picture, label=1, patch=4, stride=3)).all()


@pytest.mark.parametrize("label", [-1, 2])
@pytest.mark.parametrize("look", [explain.grad_cam, explain.occlusion])
def test_a_class_that_is_not_there_is_refused(look, label: int) -> None:
    with pytest.raises(ValueError, match=rf"Received label {label}, expected one of 2 classes"):
        look(build_plain(), PICTURE, label=label)


def test_what_grad_cam_and_occlusion_refuse() -> None:
    flat = keras.Sequential([keras.Input((16, 12, 3)), layers.Flatten(), layers.Dense(2)])
    with pytest.raises(ValueError, match=r"Received a model without maps .*before pooling"):
        explain.grad_cam(flat, PICTURE)
    with pytest.raises(ValueError, match=r"Received layer 'flatten' without maps"):
        explain.grad_cam(build_plain(), PICTURE, layer_name="flatten")
    with pytest.raises(ValueError, match=r"Received layer name 'nowhere', .*Choose one of them"):
        explain.grad_cam(build_plain(), PICTURE, layer_name="nowhere")
    with pytest.raises(ValueError, match=r"Received patch=4, stride=5, expected 1 <= stride <= patch"):
        explain.occlusion(flat, PICTURE, patch=4, stride=5)
