"""The texts of figures and the teachable machine, with a fake camera, in a real JupyterLab: `make test-browser`.

Needs Chromium, ChromeDriver and selenium, and installs none of them. With SCREENSHOTS=folder it leaves pictures there.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

pytestmark = pytest.mark.browser

webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium: pip install selenium")
exceptions = pytest.importorskip("selenium.common.exceptions")
By = pytest.importorskip("selenium.webdriver.common.by").By
Keys = pytest.importorskip("selenium.webdriver.common.keys").Keys

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--window-size=1300,1500"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
]
FAKE_CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
PATIENCE = 90  # seconds: a kernel that loads TensorFlow on a busy machine
CELL = """
from helpers.teachable_widget import TeachableWidget
TeachableWidget(["class 1", "class 2"], folder="mine")
"""
ALT = 'A "square" < 2 pixels: 네모 & more.'
FIGURE = f"""
import numpy as np
from helpers.plotting import show_images
show_images([np.zeros((2, 2, 3), np.uint8)], alt={ALT!r})
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with notebooks, good pictures of a plain thing, and a damaged one."""
    folder = tmp_path_factory.mktemp("lab")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for name, code in {"machine": CELL, "figure": FIGURE}.items():
        notebook = new_notebook(cells=[new_code_cell(code.strip())], metadata={"kernelspec": kernel})
        if name == "figure":
            NotebookClient(notebook).execute()  # and not signed: to JupyterLab it is as one that was downloaded
            notebook.cells[0].execution_count = None
        nbformat.write(notebook, folder / f"{name}.ipynb")
    for seed in range(12):
        noise = np.random.default_rng(seed).integers(0, 60, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"dark-{seed:02}.png")
    (folder / "damaged.png").write_bytes((folder / "dark-00.png").read_bytes()[:300])
    return folder


@pytest.fixture(scope="module", params=["JupyterLab Light", "JupyterLab Dark"], ids=["light", "dark"])
def lab(request: pytest.FixtureRequest, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab of its own, in a theme."""
    home = tmp_path_factory.mktemp("home")
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "themes.jupyterlab-settings").write_text(json.dumps({"theme": request.param}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [
        "--no-browser",
        "--allow-root",
        "--IdentityProvider.token=",
        f"--port={port}",
        f"--ServerApp.root_dir={folder}",
    ]
    environment = os.environ | {"JUPYTERLAB_SETTINGS_DIR": str(home / "settings"), "JUPYTER_CONFIG_DIR": str(home)}
    command = [sys.executable, "-m", "jupyterlab", *options]
    with (home / "log").open("w") as log, subprocess.Popen(command, env=environment, stdout=log, stderr=log) as server:
        address = f"http://127.0.0.1:{port}"
        wait_for(lambda: answers(f"{address}/api"))
        yield address
        server.terminate()


def answers(address: str) -> bool:
    try:
        return urllib.request.urlopen(address, timeout=2).status == 200
    except OSError:
        return False


def wait_for(condition: Callable[[], Any], *, seconds: float = PATIENCE) -> Any:
    """Return what a condition gives once it holds; a part of the page that is replaced meanwhile is looked for anew."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(exceptions.StaleElementReferenceException, exceptions.ElementNotInteractableException):
            if result := condition():
                return result
        time.sleep(0.2)
    raise AssertionError("that did not come")


class Browser:
    """Chromium, and what it tells a screen reader."""

    def __init__(self, *, flags: Sequence[str] = (), preferences: dict[str, int] | None = None) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in [*FLAGS, *flags]:
            options.add_argument(flag)
        options.add_experimental_option("prefs", preferences or {})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))

    def open_notebook(self, address: str) -> None:
        """Show it, and wait for its kernel."""
        self.driver.get(f"{address}?reset")
        self.wait(lambda: self.driver.find_elements(By.CSS_SELECTOR, ".jp-Notebook .jp-CodeCell"))
        idle = ".jp-Notebook-ExecutionIndicator[data-status=idle]"
        self.wait(lambda: self.driver.find_elements(By.CSS_SELECTOR, idle))

    def run_first_cell(self) -> None:
        self.wait(lambda: self.driver.find_element(By.CSS_SELECTOR, ".jp-CodeCell .cm-content").click() is None)
        webdriver.ActionChains(self.driver).key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(Keys.SHIFT).perform()

    def wait(self, condition: Callable[[], Any]) -> Any:
        return wait_for(condition)

    def heard(self) -> list[str]:
        """The names of everything that is not ignored."""
        nodes = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        return [node["name"]["value"] for node in nodes if not node["ignored"] and "name" in node]


class Page(Browser):
    """The widget in a browser, by what a learner sees: names of buttons, lines of text."""

    def __init__(self, address: str, *, flags: list[str], preferences: dict[str, int] | None = None) -> None:
        super().__init__(flags=flags, preferences=preferences)
        self.open_notebook(f"{address}/lab/tree/machine.ipynb")
        self.run_first_cell()
        self.wait(lambda: self.driver.find_elements(By.CSS_SELECTOR, ".tm"))

    def controls(self) -> list[Any]:
        return self.driver.find_elements(By.CSS_SELECTOR, ".tm button, .tm input")

    def control(self, name: str) -> Any:
        """The control with this name, as a screen reader tells it."""
        return self.wait(lambda: next((one for one in self.controls() if one.accessible_name.strip() == name), None))

    def press(self, name: str) -> None:
        def enter() -> bool:
            button = self.control(name)
            if ready := button.is_enabled():
                button.send_keys(Keys.ENTER)  # by keyboard, as all of it must work
            return ready

        self.wait(enter)

    def says(self, text: str) -> bool:
        return any(text in line.text for line in self.driver.find_elements(By.CSS_SELECTOR, ".tm-status, .tm-problem"))

    def problem(self) -> str:
        return self.driver.find_element(By.CSS_SELECTOR, ".tm-problem").text

    def legends(self) -> list[str]:
        return [legend.text for legend in self.driver.find_elements(By.CSS_SELECTOR, ".tm legend")]

    def results(self) -> list[str]:
        return [line.text for line in self.driver.find_elements(By.CSS_SELECTOR, ".tm-answers li")]

    def picture(self, name: str) -> None:
        if wanted := os.environ.get("SCREENSHOTS"):
            Path(wanted).mkdir(parents=True, exist_ok=True)
            self.driver.find_element(By.CSS_SELECTOR, ".tm").screenshot(str(Path(wanted) / f"{name}.png"))


@pytest.fixture
def open_page(lab: str) -> Iterator[Callable[..., Page]]:
    pages: list[Page] = []

    def open_one(*, flags: list[str], preferences: dict[str, int] | None = None) -> Page:
        pages.append(Page(lab, flags=flags, preferences=preferences))
        return pages[-1]

    yield open_one
    for page in pages:
        page.driver.quit()


@pytest.fixture
def browser() -> Iterator[Browser]:
    browser = Browser()
    yield browser
    browser.driver.quit()


def test_the_text_of_a_figure_is_heard_once_and_takes_no_room(browser: Browser, lab: str) -> None:
    def check() -> None:
        browser.wait(lambda: ALT in browser.heard())
        assert browser.heard().count(ALT) == 1
        script = "return [...document.querySelectorAll('.jp-OutputArea-child')].map(output => output.offsetHeight)"
        picture, text = browser.driver.execute_script(script)
        assert (picture > 100, text) == (True, 0)

    browser.open_notebook(f"{lab}/lab/tree/figure.ipynb")
    check()
    browser.run_first_cell()
    browser.wait(lambda: "[1]" in browser.driver.find_element(By.CSS_SELECTOR, ".jp-InputPrompt").text)
    check()


def test_the_text_of_a_figure_is_heard_once_on_a_page_too(browser: Browser, folder: Path) -> None:
    page, _ = HTMLExporter(template_name="classic").from_filename(str(folder / "figure.ipynb"))
    (folder / "figure.html").write_text(page, encoding="utf-8")
    browser.driver.get((folder / "figure.html").as_uri())
    browser.wait(lambda: ALT in browser.heard())
    assert browser.heard().count(ALT) == 1


def test_from_nothing_to_a_report(open_page: Callable[..., Page], folder: Path, request: pytest.FixtureRequest) -> None:
    theme = request.node.callspec.id
    page = open_page(flags=FAKE_CAMERA)
    page.press("Train")
    page.wait(lambda: "too few pictures (class 1: 0, class 2: 0)" in page.problem())
    page.picture(f"{theme}-1-too-few")

    name = page.control("Name of class 1")
    name.send_keys(Keys.CONTROL, "a")
    name.send_keys("camera", Keys.TAB)
    page.wait(lambda: "camera: 0 pictures" in page.legends())

    page.press("Turn the camera on")
    page.wait(lambda: page.control("Turn the camera off"))
    for count in range(10):
        page.press("Photograph camera; hold down for more")
        page.wait(lambda count=count: any(f"camera: {count + 1} picture" in legend for legend in page.legends()))

    page.control("Upload pictures of class 2").send_keys(str(folder / "damaged.png"))
    page.wait(lambda: "damaged.png cannot be used" in page.problem())
    page.picture(f"{theme}-2-damaged")
    page.control("Upload pictures of class 2").send_keys(
        "\n".join(str(path) for path in sorted(folder.glob("dark-*.png")))
    )
    page.wait(lambda: "class 2: 12 pictures" in page.legends())

    page.press("Remove picture 1 of class 2")
    page.wait(lambda: "class 2: 11 pictures" in page.legends())
    assert page.driver.switch_to.active_element.accessible_name == "Remove picture 1 of class 2", "focus stays near"

    page.press("Train")
    page.wait(lambda: page.says("Trained. Of 21 pictures"))
    page.control("Ask about a picture").send_keys(str(folder / "dark-03.png"))
    page.wait(lambda: page.results() and page.results()[0].startswith("class 2"))
    seen = page.driver.find_element(By.CSS_SELECTOR, ".tm-seen")
    page.wait(seen.is_displayed)
    assert "what speaks most for class 2" in seen.accessible_name
    page.press("Ask the camera")
    page.wait(lambda: page.results()[0].startswith("camera"))
    page.picture(f"{theme}-3-live")
    page.press("Stop asking")

    unnamed = [one.get_attribute("outerHTML") for one in page.controls() if not one.accessible_name]
    assert unnamed == []
    page.press("Save")
    page.wait(lambda: page.says("Saved: "))
    assert (folder / "mine" / "model.keras").is_file()
    page.press("Make a report")
    page.wait(lambda: page.says("pictures held out are right"))
    link = page.driver.find_element(By.LINK_TEXT, "Open the report")
    assert link.get_attribute("href").startswith("blob:")
    page.picture(f"{theme}-4-report")


@pytest.mark.parametrize(
    ("flags", "preferences", "line"),
    [
        ([], {}, "No camera was found. Upload pictures instead."),
        (
            ["--use-fake-device-for-media-stream"],
            {"profile.default_content_setting_values.media_stream_camera": 2},
            "The browser may not use the camera.",
        ),
    ],
    ids=["no camera", "no permission"],
)
def test_without_a_camera_it_says_so(
    open_page: Callable[..., Page], flags: list[str], preferences: dict[str, int], line: str
) -> None:
    page = open_page(flags=flags, preferences=preferences)
    page.press("Turn the camera on")
    page.wait(lambda: line in page.problem())
    page.press("Remove class 2 and its pictures")
    page.wait(lambda: page.legends() == ["class 1: 0 pictures"])
    page.press("Train")
    page.wait(lambda: "Received 1 class, expected two or more" in page.problem())
