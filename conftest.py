"""What the doctests of the package leave out."""

from importlib.util import find_spec

# It derives from classes of BrowserGym, which pins a Playwright of its own.
collect_ignore = [] if find_spec("browsergym") else ["potentia/envs/web/browsergym/benchmark.py"]
