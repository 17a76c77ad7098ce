"""A teachable machine: classes with names, pictures in, a classifier out, in a few seconds and without a folder.

This is the part that thinks; `teachable_widget` is its face in a notebook. The network that looks at the pictures
stays as it is. What it says of a picture is computed once, when the machine is trained for the first time after the
picture came; training solves one layer on top, which takes a moment.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import keras
import numpy as np
from PIL import Image
from sklearn.model_selection import StratifiedKFold

from helpers import backbones, explain, files, images, prediction, training

FEWEST_PICTURES = 5  # per class
FOLDS = 5  # of the cross-validation
PENALTY = 10.0
AT_ONCE = 16  # pictures through the network
THUMBNAIL = 72  # pixels
SEEN = 160  # pixels of the picture that shows what counted
HOT = (255, 140, 0)  # the colour of what counted
FORBIDDEN = '/\\:*?"<>|'  # no folder's name on every system


@dataclass
class Picture:
    """A picture of a class: its file as it came, how that name ends, its pixels for the network, and its features."""

    content: bytes
    suffix: str
    pixels: np.ndarray
    features: np.ndarray | None = None


class TeachableMachine:
    """Classes with their pictures, and the classifier that was trained on them, if any.

    Example:
        >>> machine = TeachableMachine(["mug", "plant"])
        >>> machine.counts
        {'mug': 0, 'plant': 0}
    """

    def __init__(
        self,
        class_names: Sequence[str] = (),
        *,
        image_size: int = 160,
        network: keras.Model | None = None,
    ) -> None:
        """Begin with classes without pictures.

        Args:
            class_names: more can be added later.
            image_size: height and width at which the network sees the pictures.
            network: pictures in, feature map out; EfficientNetLite0 if it is None.
        """
        self.image_size = image_size
        self.classifier: prediction.Classifier | None = None
        self._network = network
        self._pictures: dict[str, dict[int, Picture]] = {}
        self._next_key = 0
        for name in class_names:
            self.add_class(name)

    @property
    def class_names(self) -> tuple[str, ...]:
        """In label order."""
        return tuple(self._pictures)

    @property
    def counts(self) -> dict[str, int]:
        """Pictures of each class."""
        return {name: len(pictures) for name, pictures in self._pictures.items()}

    # --- classes and pictures --------------------------------------------------------------------------------------

    def add_class(self, name: str) -> str:
        """Add a class without pictures, and return its name without spaces around it.

        Raises:
            ValueError: if there is one of that name, or it cannot be the name of a folder.
        """
        name = self._check_name(name)
        self._pictures[name] = {}
        self.classifier = None
        return name

    def rename_class(self, old: str, new: str) -> str:
        """Give a class another name, and return that without spaces around it; what was learned stays.

        Raises:
            ValueError: as `add_class`.
        """
        if new.strip() == old:
            return old
        new = self._check_name(new)
        self._pictures = {new if name == old else name: pictures for name, pictures in self._pictures.items()}
        if self.classifier:
            self.classifier = prediction.Classifier(self.classifier.model, self.class_names)
        return new

    def remove_class(self, name: str) -> None:
        """Forget a class and its pictures."""
        del self._pictures[name]
        self.classifier = None

    def add_picture(self, name: str, content: bytes, *, file_name: str = "") -> int:
        """Add a picture to a class, and return the key by which it can be removed.

        Args:
            name: of the class.
            content: the bytes of a picture file of any format that `images.read` reads.
            file_name: for the message if it cannot be read.

        Raises:
            ValueError: if the picture is damaged or none at all.
        """
        suffix = Path(file_name).suffix.lower()
        pixels = self._read(content, file_name=file_name)
        key, self._next_key = self._next_key, self._next_key + 1
        self._pictures[name][key] = Picture(content, suffix or ".jpg", pixels)
        return key

    def remove_picture(self, name: str, key: int) -> None:
        """Forget a picture; the classifier stays as it was trained until it is trained again."""
        del self._pictures[name][key]

    def thumbnails(self, name: str) -> dict[int, bytes]:
        """Return a small JPEG file of each picture of a class, by key."""
        return {key: as_thumbnail(picture.pixels) for key, picture in self._pictures[name].items()}

    def _check_name(self, name: str) -> str:
        name = name.strip()
        if not name or name in self._pictures or name.startswith(".") or set(name) & set(FORBIDDEN):
            why = f"'{name}', which is there already" if name in self._pictures else f"'{name}'"
            raise ValueError(
                f"Received the class name {why}, expected a new one without {' '.join(FORBIDDEN)} in it. "
                "Choose another, such as 'mug'."
            )
        return name

    def _read(self, content: bytes, *, file_name: str) -> np.ndarray:
        try:
            pixels = images.decode(content, suffix=Path(file_name).suffix.lower()).pixels
        except ValueError as error:
            raise ValueError(f"{file_name or 'The picture'} cannot be used: {error}") from error
        return images.resize(pixels, self.image_size)

    # --- learning and answering ------------------------------------------------------------------------------------

    def train(self, *, progress: Callable[[float], None] = lambda done: None) -> training.Evaluation:
        """Train on all pictures, and say how good that is on pictures that were left out, by cross-validation.

        Each picture is judged once, by a layer that was trained without it: five parts, four to learn from. Pictures
        taken in a row are nearly the same, so among them the figure is better than it will be in use.

        Args:
            progress: takes the share that is done, 0 to 1.

        Returns:
            An `Evaluation` of all pictures, in the order of their classes.

        Raises:
            ValueError: if there are fewer than two classes, or too few pictures of one.
        """
        self._check_enough()
        self._extract(progress)
        pictures = [(picture, label) for label, name in enumerate(self._pictures) for picture in self._of(name)]
        features = np.stack([picture.features for picture, _ in pictures])
        labels = np.array([label for _, label in pictures])
        judged = cross_validate(features, labels, num_classes=len(self._pictures))
        head = training.fit_logistic_head(features, labels, num_classes=len(self._pictures), penalty=PENALTY)
        self.classifier = prediction.Classifier(training.attach_head(self._body(), head), self.class_names)
        progress(1.0)
        return judged

    def predict(self, content: bytes, *, file_name: str = "") -> list[tuple[str, float]]:
        """Return each class with its probability for a picture file, the most probable first.

        Raises:
            ValueError: if the machine was not trained since its classes changed, or the picture is damaged.
        """
        classifier = self._trained()
        pixels = self._read(content, file_name=file_name)
        (answer,) = classifier.model.predict_on_batch(pixels[np.newaxis].astype(np.float32))
        return prediction.top_classes(answer, class_names=classifier.class_names, top=len(answer))

    def explain(self, content: bytes, *, file_name: str = "") -> tuple[list[tuple[str, float]], bytes]:
        """Return what `predict` returns, and a small JPEG file that shows where the most probable class was seen.

        The picture is grey there, and orange where Grad-CAM (`explain.grad_cam`) finds what speaks for the class.

        Raises:
            ValueError: as `predict`.
        """
        ranking = self.predict(content, file_name=file_name)
        pixels = self._read(content, file_name=file_name)
        label = self.class_names.index(ranking[0][0])
        return ranking, as_thumbnail(
            lay_over(pixels, explain.grad_cam(self._trained().model, pixels, label=label)), side=160
        )

    def save(self, folder: str | Path) -> Path:
        """Save the classifier as `folder/model.keras`, and its pictures as `folder/pictures/class/number`.

        Returns:
            The path of the model, which `prediction.load_classifier` loads. `python -m helpers teach` takes the folder
            with the pictures. What an earlier call saved there is replaced.

        Raises:
            ValueError: if the machine was not trained since its classes changed, or nothing can be written there.
        """
        classifier, folder = self._trained(), Path(folder)
        files.require_writable(folder)
        self.save_pictures(folder / "pictures")
        return prediction.save_classifier(classifier.model, folder / "model.keras", class_names=self.class_names)

    def save_pictures(self, folder: str | Path) -> Path:
        """Write the pictures as they came, one sub-folder per class; pictures of an earlier call are taken away."""
        folder = Path(folder)
        for old in folder.glob("*/picture-*"):
            old.unlink()
        for old in folder.glob("*/"):
            if not any(old.iterdir()):
                old.rmdir()
        for name in self._pictures:
            (folder / name).mkdir(parents=True, exist_ok=True)
            for number, picture in enumerate(self._of(name)):
                (folder / name / f"picture-{number:04}{picture.suffix}").write_bytes(picture.content)
        return folder

    def _of(self, name: str) -> list[Picture]:
        return list(self._pictures[name].values())

    def _body(self) -> keras.Model:
        if self._network is None:
            self._network = backbones.build("EfficientNetLite0", input_shape=(self.image_size, self.image_size, 3))
        return self._network

    def _trained(self) -> prediction.Classifier:
        if self.classifier is None:
            raise ValueError("Received a machine that has not learned yet, expected one that has. Train it first.")
        return self.classifier

    def _check_enough(self) -> None:
        if len(self._pictures) < 2:
            raise ValueError(f"Received {len(self._pictures)} class, expected two or more. Add another.")
        few = [f"{name}: {count}" for name, count in self.counts.items() if count < FEWEST_PICTURES]
        if few:
            raise ValueError(
                f"Received too few pictures ({', '.join(few)}), expected {FEWEST_PICTURES} or more per class. Add some."
            )

    def _extract(self, progress: Callable[[float], None]) -> None:
        """Compute the features of the pictures that came since the last training."""
        new = [picture for name in self._pictures for picture in self._of(name) if picture.features is None]
        for start in range(0, len(new), AT_ONCE):
            progress(start / len(new))
            some = new[start : start + AT_ONCE]
            batch = np.stack([picture.pixels for picture in some]).astype(np.float32)
            maps = np.asarray(self._body()(batch, training=False))  # (b, height, width, 3) -> (b, h, w, c)
            for picture, features in zip(some, maps.mean(axis=(1, 2)), strict=True):  # -> (b, c)
                picture.features = features


def cross_validate(features: np.ndarray, labels: np.ndarray, *, num_classes: int) -> training.Evaluation:
    """Judge every picture once, by a head that was trained on the other parts of five.

    Args:
        features: float `(pictures, channels)`.
        labels: int `(pictures,)`, five or more of each class.
        num_classes: how many there are.
    """
    probabilities = np.zeros((len(labels), num_classes), np.float32)
    for learned, kept in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(features, labels):
        head = training.fit_logistic_head(features[learned], labels[learned], num_classes=num_classes, penalty=PENALTY)
        probabilities[kept] = training.evaluate(head, features[kept], labels[kept]).probabilities
    return training.Evaluation(float((probabilities.argmax(axis=1) == labels).mean()), labels, probabilities)


def lay_over(pixels: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Return a picture `(height, width, 3)` in grey, and orange where the heat `(h, w)`, 0..1, is high; uint8."""
    height, width, _ = pixels.shape
    grey = pixels.mean(axis=2, keepdims=True)
    share = Image.fromarray(heat.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    share = 0.7 * np.asarray(share)[..., np.newaxis]  # (h, w) -> (height, width, 1)
    return np.uint8((1 - share) * grey + share * np.array(HOT))


def as_thumbnail(pixels: np.ndarray, *, side: int = THUMBNAIL) -> bytes:
    """Return a picture as a small JPEG file."""
    buffer = BytesIO()
    thumbnail = Image.fromarray(pixels)
    thumbnail.thumbnail((side, side))
    thumbnail.save(buffer, format="JPEG", quality=80)
    return buffer.getvalue()
