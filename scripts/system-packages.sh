#!/usr/bin/env bash
# The tests look at the report in a real browser: finds one, or installs Debian's as root or with sudo.
set -euo pipefail
for browser in chromium-headless-shell chromium chromium-browser google-chrome; do
    command -v "$browser" > /dev/null && exit 0
done
if ! command -v apt-get > /dev/null; then
    echo "No Chromium was found on PATH; install one, or run 'playwright install chromium'. Browser tests are skipped." >&2
    exit 0
fi
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
echo "Installing chromium-headless-shell for the browser tests ..." >&2
as_root apt-get update -qq
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium-headless-shell > /dev/null
