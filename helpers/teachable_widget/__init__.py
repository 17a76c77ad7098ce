"""The face of the teachable machine in a notebook: classes, pictures by upload or from the webcam, train, try, save.

    from helpers.teachable_widget import TeachableWidget
    TeachableWidget(["mug", "plant"])

`widget.js` shows what is here and sends what the learner does; all that thinks is in `helpers.teachable`. Nothing is
loaded from the network, and no picture leaves the machine on which the notebook's kernel runs.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from helpers import datasets
from helpers.teachable import TeachableMachine

HERE = Path(__file__).parent
FEWEST_FOR_REPORT = 10  # pictures per class: what `teach` asks for
START = "Name the classes, then add pictures of each, by upload or with the camera."


class TeachableWidget(anywidget.AnyWidget):
    """A teachable machine to click on; `machine` is the one behind it, for use from code.

    The synchronised traits are what the page shows; the page sends messages `{"do": what, ...}`, a picture's bytes
    as their buffer.
    """

    _esm = HERE / "widget.js"
    _css = HERE / "widget.css"
    classes = traitlets.List().tag(sync=True)  # of {"name", "count"}
    message = traitlets.Dict({"text": START, "problem": False}).tag(sync=True)
    progress = traitlets.Float(None, allow_none=True).tag(sync=True)  # 0 to 1 while it trains; -1 if not known
    trained = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        class_names: Sequence[str] = ("class 1", "class 2"),
        *,
        folder: str | Path | None = None,
        machine: TeachableMachine | None = None,
    ) -> None:
        """Show a machine.

        Args:
            class_names: to begin with; they can be changed, and classes added.
            folder: where model, pictures and report are saved; by default `teachable_machine` in the data folder.
            machine: with classes and pictures already in it, instead of `class_names`.
        """
        self.machine = machine or TeachableMachine(class_names)
        self.folder = Path(folder) if folder else datasets.data_folder() / "teachable_machine"
        super().__init__()
        self._show()
        self.on_msg(self._do)

    def _do(self, _: Any, content: dict[str, Any], buffers: Sequence[bytes]) -> None:
        """Do what the page asks for; what goes wrong is one line in it, never an error in the kernel."""
        actions: dict[str, Callable[..., None]] = {
            "hello": self._send_thumbnails,
            "add class": self._add_class,
            "rename class": self._rename_class,
            "remove class": self._remove_class,
            "add picture": self._add_picture,
            "remove picture": self._remove_picture,
            "train": self._train,
            "ask": self._ask,
            "save": self._save,
            "report": self._report,
        }
        arguments = {key: value for key, value in content.items() if key != "do"}
        if buffers:
            arguments["content"] = bytes(buffers[0])
        try:
            actions[content["do"]](**arguments)
        except (ValueError, OSError) as error:
            self._say(" ".join(str(error).split()), problem=True)
        finally:
            self.progress = None
            self._show()

    def _say(self, text: str, *, problem: bool = False) -> None:
        self.message = {"text": text, "problem": problem}

    def _show(self) -> None:
        self.classes = [{"name": name, "count": count} for name, count in self.machine.counts.items()]
        self.trained = self.machine.classifier is not None

    def _send_thumbnail(self, name: str, key: int, thumbnail: bytes) -> None:
        self.send({"kind": "added", "name": name, "key": key}, [thumbnail])

    # --- what the page asks for ------------------------------------------------------------------------------------

    def _send_thumbnails(self) -> None:
        for name in self.machine.class_names:
            for key, thumbnail in self.machine.thumbnails(name).items():
                self._send_thumbnail(name, key, thumbnail)

    def _add_class(self) -> None:
        numbers = range(1, len(self.machine.class_names) + 2)
        free = next(f"class {n}" for n in numbers if f"class {n}" not in self.machine.class_names)
        self._say(f"Added {self.machine.add_class(free)}.")

    def _rename_class(self, old: str, new: str) -> None:
        name = old
        try:
            name = self.machine.rename_class(old, new)
        finally:
            self.send({"kind": "renamed", "old": old, "new": name})

    def _remove_class(self, name: str) -> None:
        self.machine.remove_class(name)
        self._say(f"Removed {name}.")

    def _add_picture(self, name: str, content: bytes = b"", file: str = "") -> None:
        key = self.machine.add_picture(name, content, file_name=file)
        self._send_thumbnail(name, key, self.machine.thumbnails(name)[key])
        self._say(f"{name}: {self.machine.counts[name]} pictures.")

    def _remove_picture(self, name: str, key: int) -> None:
        self.machine.remove_picture(name, key)
        self._say(f"{name}: {self.machine.counts[name]} pictures.")

    def _train(self) -> None:
        self._say("Training ...")
        judged = self.machine.train(progress=lambda done: setattr(self, "progress", done))
        right = len(judged.labels) - len(judged.mistakes())
        self._say(
            f"Trained. Of {len(judged.labels)} pictures, each left out once, {right} were right. Pictures taken in a "
            "row are nearly the same: with new ones, expect fewer."
        )

    def _ask(self, content: bytes = b"", file: str = "") -> None:
        try:
            ranking, seen = self.machine.explain(content, file_name=file)
        except ValueError:
            self.send({"kind": "no answer"})
            raise
        self.send({"kind": "answer", "ranking": ranking}, [seen])

    def _save(self) -> None:
        path = self.machine.save(self.folder)
        self._say(f"Saved: {path}, and the pictures beside it.")

    def _report(self) -> None:
        """Teach as `python -m helpers teach` does, with pictures held out, and send its report."""
        from helpers.commands import teach  # costs seconds, and only a report needs it

        if min(self.machine.counts.values(), default=0) < FEWEST_FOR_REPORT:
            raise ValueError(
                f"Received too few pictures for a report, expected {FEWEST_FOR_REPORT} or more per class: some are "
                "held out to judge by. Add some."
            )
        self._say("Teaching anew, with pictures held out to judge by ...")
        self.progress = -1.0
        pictures = self.machine.save_pictures(self.folder / "pictures")
        result = teach.teach(
            pictures,
            output=self.folder / "model.keras",
            image_size=self.machine.image_size,
            say=lambda text: None,
        )
        self.send({"kind": "report", "page": result.report.read_text(encoding="utf-8")})
        share, count = result.test.accuracy, len(result.test.labels)
        self._say(f"Report: {share:.0%} of {count} pictures held out are right. Saved: {result.report}")
