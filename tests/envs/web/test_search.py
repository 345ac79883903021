"""Breadth-first search over the actions of `HtmlPage`: no way to the goal is shorter than `Episode.length`.

Proven for the templates in `PROVEN`, each with its parameters drawn from seed 0 and 3 rows of noise. The actions are a
click on every row of the page, every field of the episode typed into every text box, and the way back. Two states are
one if they show the same address and the same elements with the same contents of the databases, and would go back to
the same address; at the front page, nothing lies behind.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from potentia.envs.web.backends.html import HtmlPage
from potentia.envs.web.tasks.episode import Episode
from tests.envs.web.solving import do, follow, opened
