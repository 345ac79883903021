"""How every browser is started."""

from __future__ import annotations

__all__ = ["FLAGS", "FRAME_FLAGS"]

_RISKY_PORTS = (
    "1,7,9,11,13,15,17,19-23,25,37,42,43,53,69,77,79,87,95,101-104,109-111,113,115,117,119,123,135,137,139,143,161,179,"
    "389,427,465,512-515,526,530-532,540,548,554,556,563,587,601,636,989,990,993,995,1719,1720,1723,2049,3659,4045,4190,"
    "5060,5061,6000,6566,6665-6669,6679,6697,10080"
)


def _ports(ranges: str) -> str:
    """The numbers of ``"1,7-9"``: ``"1,7,8,9"``."""
    ends = ([int(end) for end in part.split("-")] for part in ranges.split(","))
    return ",".join(str(port) for pair in ends for port in range(pair[0], pair[-1] + 1))


FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-features=BackForwardCache,Translate,OptimizationHints,MediaRouter,AutofillServerCommunication,"
    # Timers put off by the real clock.
    "DeferRendererTasksAfterInput,ThrottleForegroundTimers,AlignWakeUps,"
    # Else Chromium itself refuses some requests to loopback, and the gate would not see and count them.
    "PaintHolding,LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,PrivateNetworkAccessSendPreflights",
    # Likewise requests to ports of other protocols.
    f"--explicitly-allowed-ports={_ports(_RISKY_PORTS)}",
    # What a page opens is never there, not even for a moment. Attempts are told and counted all the same.
    "--block-new-web-contents",
    "--force-color-profile=srgb",
    "--force-device-scale-factor=1",
    "--font-render-hinting=none",
    "--hide-scrollbars",
    "--mute-audio",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--no-sandbox",
    "--password-store=basic",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    # Names are never looked up: all that a page asks for goes through its context's proxy, by name.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
"""How every browser is started."""

FRAME_FLAGS = (
    "--enable-begin-frame-control",
    "--run-all-compositor-stages-before-draw",
    "--disable-new-content-rendering-timeout",
    "--disable-threaded-animation",
    "--disable-threaded-scrolling",
    "--disable-checker-imaging",
)
"""How a headless shell is started that draws a frame only when it is asked to."""
