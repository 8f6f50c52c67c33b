"""The page that `tsdsae-keras evaluate` writes, in headless Chromium."""

import pytest

from tests.families.tsdsae.evaluation.tones import run_evaluate
from tests.report.test_browser import Visit, chromium  # noqa: F401

pytestmark = pytest.mark.no_backend

PLAYED = """async () => {
    const played = [];
    for (const audio of document.querySelectorAll("audio")) {  // one after the other: the page lets one sound at a time
        await audio.play();
        for (let tries = 0; tries < 200 && !(audio.currentTime > 0); tries++)
            await new Promise((done) => setTimeout(done, 25));
        played.push(audio.error === null && audio.currentTime > 0);
    }
    return played;
}"""


def test_every_player_plays_and_nothing_is_asked_for(model, data, chromium, tmp_path):  # noqa: F811
    run_evaluate(model, data, tmp_path / "evaluation.json")
    visit = Visit(chromium, tmp_path / "report.html")
    played = visit.page.evaluate(PLAYED)
    assert len(played) == 6 and all(played)
    assert visit.quiet(tmp_path / "report.html"), (visit.complaints, visit.requests)
