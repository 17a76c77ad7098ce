"""A web server on the loopback address that behaves as badly as it is told, and a data set whose file it serves."""

import hashlib
import io
import os
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import numpy as np
import pytest
import tensorflow_datasets as tfds
from etils import epath
from PIL import Image
from tenacity import wait_none
from tensorflow_datasets.core.download import checksums

from helpers import downloads


def come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait between attempts at a download, and do not ask a proxy for the loopback address."""
    monkeypatch.setattr(downloads._ask_for_rest.retry, "wait", wait_none())
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


class Host:
    """What the server does: `plan` has one behaviour per request, and the last one goes on."""

    def __init__(self, content: bytes = b"") -> None:
        self.content = content
        self.plan: list[Callable[[Handler], None]] = [whole]
        self.asked: list[str | None] = []  # the Range header of each request
        self.sent = 0
        self.url = ""

    def next_behaviour(self) -> Callable[["Handler"], None]:
        return self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]


class Handler(BaseHTTPRequestHandler):
    host: Host

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        self.host.asked.append(self.headers["Range"])
        self.close_connection = True
        self.host.next_behaviour()(self)

    def start(self, status: int, **headers: object) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def send(self, content: bytes) -> None:
        # Counted first: the reader can be done before this thread goes on.
        self.host.sent += len(content)
        self.wfile.write(content)

    @property
    def first(self) -> int:
        return int((self.headers["Range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))


def whole(handler: Handler, *, stop_after: int | None = None) -> None:
    """The file, or the rest of it that is asked for."""
    content, first = handler.host.content, handler.first
    rest = content[first:]
    if first and not rest:
        handler.start(416, Content_Range=f"bytes */{len(content)}")
    elif first:
        span = f"bytes {first}-{len(content) - 1}/{len(content)}"
        handler.start(206, Content_Length=len(rest), Content_Range=span)
    else:
        handler.start(200, Content_Length=len(rest))
    handler.send(rest[:stop_after])


def breaking(after: int, *, ranges: bool = True) -> Callable[[Handler], None]:
    """The connection closes in the middle of the file."""

    def behave(handler: Handler) -> None:
        if ranges:
            whole(handler, stop_after=after)
        else:
            handler.start(200, Content_Length=len(handler.host.content))
            handler.send(handler.host.content[:after])

    return behave


def without_ranges(handler: Handler) -> None:
    handler.start(200, Content_Length=len(handler.host.content))
    handler.send(handler.host.content)


def answering(status: int, content: bytes = b"", **headers: object) -> Callable[[Handler], None]:
    def behave(handler: Handler) -> None:
        handler.start(status, Content_Length=len(content), **headers)
        handler.send(content)

    return behave


def silent(handler: Handler) -> None:
    """No answer at all: the connection is closed."""


def endless(handler: Handler) -> None:
    """More than the file, without a length."""
    handler.start(200)
    handler.send(handler.host.content * 2)


@contextmanager
def serving(host: Host) -> Iterator[Host]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("HandlerOfHost", (Handler,), {"host": host}))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    host.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# --- the data set ------------------------------------------------------------------------------------------------


def picture_files() -> dict[str, bytes]:
    """Four PNG files in two folders."""
    files = {}
    for number in range(4):
        buffer = io.BytesIO()
        noise = np.random.default_rng(number).integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(noise).save(buffer, format="png")
        files[f"{'light' if number % 2 else 'dark'}/{number}.png"] = buffer.getvalue()
    return files


def make_zip(files: dict[str, bytes], *, link: tuple[str, str] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
        if link:
            member = zipfile.ZipInfo(link[0])
            member.create_system, member.external_attr = 3, 0o120777 << 16
            archive.writestr(member, link[1])
    return buffer.getvalue()


def make_tar(
    files: dict[str, bytes],
    *,
    link: tuple[str, str] | None = None,
    kind: bytes = tarfile.SYMTYPE,
    packed: bool = True,
) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz" if packed else "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        if link:
            member = tarfile.TarInfo(link[0])
            member.type, member.linkname = kind, link[1]
            archive.addfile(member)
    return buffer.getvalue()


class ServedSquares(tfds.core.GeneratorBasedBuilder):
    """Pictures in an archive; the tests set where it is and what it should be."""

    code_path = epath.Path(__file__)
    VERSION = tfds.core.Version("1.0.0")
    url_infos: ClassVar[dict[str, checksums.UrlInfo]] = {}
    address = ""
    extract = True

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "image": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
            "label": tfds.features.ClassLabel(names=["dark", "light"]),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description="Squares of noise.\nFour of them.",
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict:
        url = self.address
        if self.extract:
            return {"train": self._generate_examples(dl_manager.download_and_extract({"all": [url]})["all"][0])}
        return {"train": self._generate_examples_of(dl_manager.iter_archive(dl_manager.download(url)))}

    def _generate_examples(self, folder: epath.Path):
        for path in sorted(folder.glob("*/*.png")):
            yield path.name, {"image": path.read_bytes(), "label": path.parent.name}

    def _generate_examples_of(self, archive):
        for name, file in archive:
            yield name, {"image": file.read(), "label": name.split("/")[0]}


class OtherSquares(ServedSquares):
    """Another data set, whose file has the same name."""


class ServedVariants(ServedSquares):
    """Two variants with a file each, of which a call needs one."""

    BUILDER_CONFIGS: ClassVar = [
        tfds.core.BuilderConfig(name=name, version=tfds.core.Version("1.0.0")) for name in ("small", "large")
    ]


class HandMade(ServedSquares):
    """A data set whose publisher wants a person to download it."""

    MANUAL_DOWNLOAD_INSTRUCTIONS = "Log in, tick the box, put squares.zip here."


def register(host: Host, *, name: str = "squares.zip", content: bytes | None = None) -> str:
    """Tell the builder where its file is; `content` is what it is said to be. Returns the address."""
    content = host.content if content is None else content
    url = f"{host.url}/{name}"
    info = checksums.UrlInfo(size=tfds.core.utils.Size(len(content)), checksum=sha256(content), filename=name)
    ServedSquares.address, ServedSquares.url_infos = url, {url: info}
    return url
