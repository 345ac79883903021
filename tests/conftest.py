from __future__ import annotations

import os

import pytest

from potentia.envs.web.browser.find import find_browser
from tests.sampling import ALL, keep_samples, sample_seed


def pytest_configure(config):
    config.addinivalue_line("markers", "exhaustive(keep): many cases of one kind; a run takes `keep` of them")
    sample_seed()


def pytest_report_header():
    return "exhaustive tests: all" if os.environ.get(ALL) else f"samples of exhaustive tests: {sample_seed()}"


def pytest_collection_modifyitems(config, items):
    kept = keep_samples(items)
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


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
