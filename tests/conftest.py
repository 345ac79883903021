from __future__ import annotations

import os

import pytest

from potentia.envs.web.browser.find import find_browser


@pytest.fixture(scope="session")
def chromium():
    """The path of a browser; a failure without one in CI, elsewhere a skip."""
    try:
        return find_browser()
    except FileNotFoundError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def browser(chromium):
    """Chromium by Playwright's synchronous API, for pages that we wrote."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        process = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield process
        process.close()


@pytest.fixture(scope="session", autouse=True)
def sb3_logs(tmp_path_factory):
    """Stable-Baselines3's loggers make a folder each; here, among what pytest clears away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SB3_LOGDIR", str(tmp_path_factory.mktemp("sb3")))
        yield
