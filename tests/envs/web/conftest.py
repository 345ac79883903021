from __future__ import annotations

import os

import pytest

from potentia.envs.web.browser.find import find_browser


@pytest.fixture(scope="session", autouse=True)
def chromium():
    """A browser is at hand; without one the tests of this folder that need it can't say anything."""
    try:
        return find_browser()
    except FileNotFoundError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
