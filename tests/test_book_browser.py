"""The website in Chromium, read from its folder: `make test-book`, which builds it first.

Needs Chromium, ChromeDriver, selenium and axe's script, and installs none of them. With SCREENSHOTS=folder it leaves
pictures there.
"""

import importlib.util
import json
import os
from base64 import b64decode
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

import pytest

from helpers.commands import notebooks
from tests.test_browser import CHROMIUM, DRIVER, FLAGS, By, Keys, wait_for, webdriver

pytestmark = pytest.mark.browser

BOOK = Path(__file__).parents[1] / "output" / "book"
PAGES = sorted(path.relative_to(BOOK).as_posix() for path in BOOK.rglob("*.html") if "_static" not in path.parts)
LESSONS = [f"notebooks/{path.stem}.html" for path in notebooks.find_notebooks()]
DESKTOP, PHONE = 1280, 390  # pixels wide
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
each_page = pytest.mark.parametrize("page", PAGES)


class Parts(HTMLParser):
    """What a page refers to, and what can be referred to in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.alt_texts: list[str | None] = []
        self.feed((BOOK / page).read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.ids |= {attributes.get("id") or "", attributes.get("name") or ""}
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        if LOADS.get(tag) in attributes and not attributes[LOADS[tag]].startswith(("#", "data:")):
            self.loaded.append(attributes[LOADS[tag]])
        if tag == "img":
            self.alt_texts.append(attributes.get("alt"))


@pytest.fixture(scope="module")
def parts() -> dict[str, Parts]:
    return {page: Parts(page) for page in PAGES}


def test_every_lesson_is_there() -> None:
    assert set(LESSONS) <= set(PAGES)
    assert {"index.html", "README.html", "search.html", "docs/teaching.html"} <= set(PAGES)


@each_page
def test_every_link_leads_somewhere(page: str, parts: dict[str, Parts]) -> None:
    for link in parts[page].links:
        address, anchor = urldefrag(link)
        if address.startswith(("https://", "http://", "mailto:")):
            continue
        target = (BOOK / page).parent / unquote(address) if address else BOOK / page
        assert target.resolve().is_file(), link
        name = target.resolve().relative_to(BOOK.resolve()).as_posix()
        assert not anchor or unquote(anchor) in parts[name].ids, link


@each_page
def test_nothing_is_loaded_from_elsewhere(page: str, parts: dict[str, Parts]) -> None:
    for address in parts[page].loaded:
        assert ":" not in address and not address.startswith("//"), address
        assert ((BOOK / page).parent / unquote(address.partition("?")[0])).is_file(), address


@each_page
def test_every_picture_has_a_text(page: str, parts: dict[str, Parts]) -> None:
    assert not [text for text in parts[page].alt_texts if not text or text.endswith(".png")]


@pytest.mark.parametrize("page", LESSONS)
def test_every_lesson_can_be_downloaded_with_its_exercises_open(page: str, parts: dict[str, Parts]) -> None:
    (link,) = [link for link in parts[page].links if link.endswith(".ipynb")]
    text = (BOOK / page).parent.joinpath(link).read_text(encoding="utf-8")
    assert "NotImplementedError" in text
    assert "BEGIN SOLUTION" not in text


class Browser:
    """Chromium with the website, at a width and in a theme."""

    def __init__(self) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in FLAGS:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))

    def open(self, page: str, *, width: int = DESKTOP, theme: str = "light") -> None:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == PHONE}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        preference = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", preference)
        self.requests()
        self.complaints()
        address = (BOOK / page).as_uri()
        self.driver.get(address)
        there = "return document.readyState === 'complete' && location.href === arguments[0]"
        wait_for(lambda: self.run(there, address))  # on a busy machine `get` may return while the last page is shown

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def visible(self, selector: str) -> list[Any]:
        """The elements that can be seen, as soon as there is one."""
        find = self.driver.find_elements
        return wait_for(lambda: [one for one in find(By.CSS_SELECTOR, selector) if one.is_displayed()])

    def requests(self) -> list[str]:
        """The addresses asked for since the last call."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return [one["request"]["url"] for one in sent]

    def complaints(self) -> list[str]:
        """The errors and warnings in the console since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def findings(self) -> list[str]:
        """What axe finds serious, with all folds open."""
        self.run("document.querySelectorAll('details').forEach(fold => fold.open = true)")
        spec = importlib.util.find_spec("axe_playwright_python")
        self.run(Path(spec.submodule_search_locations[0], "axe.min.js").read_text(encoding="utf-8"))
        result = self.driver.execute_async_script(
            "axe.run({resultTypes: ['violations'], preload: false}).then(arguments[0])"
        )
        serious = [one for one in result["violations"] if one["impact"] in ("serious", "critical")]
        return [f"{one['id']}: {node['html'][:200]}" for one in serious for node in one["nodes"][:5]]

    def picture(self, name: str) -> None:
        if wanted := os.environ.get("SCREENSHOTS"):
            Path(wanted).mkdir(parents=True, exist_ok=True)
            picture = self.driver.execute_cdp_cmd("Page.captureScreenshot", {})["data"]
            Path(wanted, f"{name.replace('/', '-')}.png").write_bytes(b64decode(picture))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    browser = Browser()
    browser.driver.set_script_timeout(120)
    yield browser
    browser.driver.quit()


@each_page
@pytest.mark.parametrize(("width", "theme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light")])
def test_a_page_is_whole_and_can_be_used_by_everybody(browser: Browser, page: str, width: int, theme: str) -> None:
    browser.open(page, width=width, theme=theme)
    browser.picture(f"{page}-{width}-{theme}")
    assert browser.run("return document.documentElement.dataset.theme") == theme
    assert browser.run("return document.scrollingElement.scrollWidth <= document.scrollingElement.clientWidth")
    assert browser.complaints() == []
    elsewhere = [one for one in browser.requests() if not one.startswith((BOOK.as_uri(), "data:", "blob:"))]
    assert elsewhere == []
    assert browser.findings() == []


@pytest.mark.parametrize("page", LESSONS)
def test_formulas_are_drawn(browser: Browser, page: str) -> None:
    browser.open(page)
    sizes = browser.run("return [...document.querySelectorAll('math')].map(one => one.getBoundingClientRect().width)")
    assert bool(sizes) == ("$$" in notebooks.find_notebooks([page[10:12]])[0].read_text(encoding="utf-8"))
    assert all(width > 4 for width in sizes)
    script = "document.querySelectorAll('pre, code').forEach(one => one.remove()); return document.body.innerText"
    assert not {"$$", "\\frac", "\\text"} & set(browser.run(script).split())


def test_the_search_finds_a_word_and_leads_to_it(browser: Browser) -> None:
    browser.open("index.html")
    browser.visible(".search-button__button")[0].click()
    browser.visible("[name=q]")[0].send_keys("dropout", Keys.ENTER)
    (lesson,) = [one for one in browser.visible("#search-results li a") if one.text.startswith("08 Training better")]
    lesson.click()
    wait_for(lambda: "08_training_better.html" in browser.driver.current_url)
    assert browser.complaints() == []


def test_the_theme_can_be_chosen_and_pictures_stay_on_white(browser: Browser) -> None:
    browser.open("notebooks/00_start_here.html")
    browser.visible(".theme-switch-button")[0].click()
    browser.visible(".theme-change-button[data-mode=dark]")[0].click()
    assert browser.run("return document.documentElement.dataset.theme") == "dark"
    ask = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
    assert browser.run(ask, "body", "backgroundColor") != "rgb(255, 255, 255)"
    assert browser.run(ask, ".cell_output img", "backgroundColor") == "rgb(255, 255, 255)"
    browser.run("localStorage.clear()")


def test_folds_open_and_the_menu_of_a_phone_leads_to_every_lesson(browser: Browser) -> None:
    browser.open("notebooks/07_vanilla_cnn.html", width=PHONE)
    fold = browser.driver.find_element(By.XPATH, "//details[summary='Solution']")
    code = fold.find_element(By.TAG_NAME, "pre")
    assert not code.is_displayed()
    summary = fold.find_element(By.TAG_NAME, "summary")
    browser.run("arguments[0].scrollIntoView({block: 'center'})", summary)
    summary.send_keys(Keys.ENTER)  # by keyboard
    wait_for(code.is_displayed)
    browser.visible(".primary-toggle")[0].click()
    titles = [link.text[:2] for link in browser.visible(".bd-links a")]
    assert [page[10:12] for page in LESSONS] == [title for title in titles if title.isdecimal()]
    browser.picture("phone-menu")
