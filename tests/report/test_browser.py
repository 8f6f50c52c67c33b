"""The report page in headless Chromium, opened from disk.

Screenshots go to the test's folder, or to the one that TSDSAE_SCREENSHOTS names.
"""

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.report.page_content import Page

pytestmark = pytest.mark.no_backend

INSTALL = "apt-get install chromium && pip install playwright"


@pytest.fixture(scope="module")
def chromium():
    driver = pytest.importorskip("playwright.sync_api", reason=f"no playwright: {INSTALL}")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip(f"no chromium: {INSTALL}")
    arguments = ["--mute-audio", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


class Visit:
    """The page opened from disk, with all it asked for and all it complained of."""

    def __init__(self, browser, path, **options):
        self.page = browser.new_page(**options)
        self.requests, self.complaints, self.stopped = [], [], {}
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("requestfailed", lambda request: self.stopped.update({request.url: request.failure}))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append(dialog.message), dialog.dismiss()))
        self.page.goto(path.as_uri())

    def quiet(self, path):
        outside = [url for url in self.requests if url != path.as_uri() and not url.startswith("data:")]
        return self.complaints == [] and outside == []


@pytest.fixture(scope="module")
def path(html, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def visit(chromium, path):
    return Visit(chromium, path, viewport={"width": 1280, "height": 800})


ACTIVE = """() => { const at = document.activeElement;
    return [at.tagName, at.getAttribute("href") || at.getAttribute("aria-label")] }"""

MOVES = """() => new Promise((done) => { const at = document.activeElement;
    setInterval(() => at.currentTime > 0 && done(true), 10);
    setTimeout(() => done(false), 5000); })"""


def tab_stops(page, most=150):
    """What the Tab key reaches from the page's beginning, in order: (tag, name); on each player Space is pressed."""
    stops = []
    for _ in range(most):
        page.keyboard.press("Tab")
        stop = page.evaluate(ACTIVE)
        if stop[0] == "BODY":
            break
        if stop in stops:  # the inside of a player
            continue
        stops.append(stop)
        if stop[0] == "AUDIO":
            page.keyboard.press("Space")
            assert page.evaluate(MOVES), f"{stop} does not play"
    return stops


def test_keys_alone_reach_every_link_and_play_every_player(visit, path, html):
    page = Page(html)
    stops = tab_stops(visit.page)
    assert [name for tag, name in stops if tag == "A"] == [link["href"] for link in page.all("a")]
    assert [name for tag, name in stops if tag == "AUDIO"] == [audio["aria-label"] for audio in page.all("audio")]
    assert [name for tag, name in stops if tag == "DIV"] == [
        view["aria-label"] for view in page.all("div") if "tabindex" in view
    ]
    states = visit.page.evaluate(
        "[...document.querySelectorAll('audio')].map(a => [a.error, a.duration, a.currentTime > 0])"
    )
    assert all(error is None and 0.7 < duration < 1.1 and moved for error, duration, moved in states)
    assert visit.quiet(path), (visit.complaints, visit.requests)


def test_one_sound_at_a_time(visit):
    playing = visit.page.evaluate("""async () => { const all = [...document.querySelectorAll("audio")];
        for (const audio of all) { audio.currentTime = 0; await audio.play(); }
        return all.map((audio) => !audio.paused); }""")
    assert playing == [False] * (len(playing) - 1) + [True]


def contrast(page):
    """The contrast of the page's text to its ground by the WCAG's formula, 1 to 21."""
    colours = page.evaluate("(({color, backgroundColor}) => [color, backgroundColor])(getComputedStyle(document.body))")
    values = np.array([[int(part) for part in re.findall(r"\d+", colour)[:3]] for colour in colours]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    ink, ground = linear @ [0.2126, 0.7152, 0.0722]
    return (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05), bool(ground < ink)


@pytest.mark.parametrize(("device", "width"), [("desktop", 1280), ("phone", 375)])
def test_it_fits_the_width_and_reads_in_dark_and_light(visit, path, tmp_path, device, width):
    folder = Path(os.environ.get("TSDSAE_SCREENSHOTS", tmp_path))
    for scheme in ("light", "dark"):
        visit.page.set_viewport_size({"width": width, "height": 800})
        visit.page.emulate_media(color_scheme=scheme)
        ratio, dark = contrast(visit.page)
        assert ratio > 7 and dark == (scheme == "dark")
        assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        picture = visit.page.screenshot(path=folder / f"report-{device}-{scheme}.png", full_page=True)
        assert len(picture) > 20_000
    assert visit.quiet(path), (visit.complaints, visit.requests)


def test_pictures_wider_than_a_phone_scroll_by_key(visit):
    visit.page.set_viewport_size({"width": 375, "height": 800})
    view = visit.page.locator(".view").first
    view.focus()
    visit.page.keyboard.press("ArrowRight")
    visit.page.wait_for_timeout(300)
    assert view.evaluate("view => view.scrollLeft > 0")


def test_the_policy_stops_what_the_page_does_not_own(chromium, html, tmp_path):
    path = tmp_path / "changed.html"
    foreign = '<script>document.title = "taken"</script><img src="https://example.org/x.png">'
    path.write_text(html.replace("</main>", foreign + "</main>"), encoding="utf-8")
    visit = Visit(chromium, path)
    assert visit.page.title() == "TS-DSAE on dMelodies"
    assert len(visit.complaints) == 2 and all("Content Security Policy" in text for text in visit.complaints)
    assert visit.stopped == {"https://example.org/x.png": "csp"}
