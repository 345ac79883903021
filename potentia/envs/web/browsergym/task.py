"""Our tasks as BrowserGym's."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import Any

from browsergym.core.env import BrowserEnv
from browsergym.core.task import AbstractBrowserTask
from playwright.sync_api import Error, Page

from potentia.action_text import ActionCall, parse_action
from potentia.envs.web.browser.gate import Gate
from potentia.envs.web.browser.page import page_script, read_state
from potentia.envs.web.elements import PageState
from potentia.envs.web.find_task import find_task

__all__ = ["PotentiaTask", "make"]
