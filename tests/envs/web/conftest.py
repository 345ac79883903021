from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def _needs_a_browser(chromium):
    """Without one the tests of this folder can't say anything."""
