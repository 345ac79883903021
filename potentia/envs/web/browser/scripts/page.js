// Runs before any script of a page. SETTINGS: {seed, shift, skip}: the seed of random numbers, the milliseconds by which
// clocks are set back so that each episode begins at the same time, and a selector of what is no part of the page.
((settings) => {
  "use strict";
  if (window.__potentia) { window.__potentia.begin(settings); return; }
  const ROLE_OF_TAG = {
    a: "link", button: "button", textarea: "textbox", select: "combobox", option: "option", td: "cell", th: "cell",
    li: "listitem", label: "label", img: "image", h1: "heading", h2: "heading", h3: "heading", h4: "heading",
    h5: "heading", h6: "heading", canvas: "image",
    rect: "shape", circle: "shape", ellipse: "shape", polygon: "shape", polyline: "shape", line: "shape", path: "shape",
  };
  const ROLE_OF_INPUT = {
    submit: "button", reset: "button", button: "button", image: "button", checkbox: "checkbox", radio: "radio",
    range: "slider", hidden: "other",
  };
  const ROLES = new Set([
    "link", "button", "textbox", "checkbox", "radio", "combobox", "option", "heading", "cell", "listitem", "label",
    "text", "image", "shape", "slider", "other",
  ]);
  const CONTROLS = new Set(["textbox", "checkbox", "radio", "combobox", "slider"]);
  const INTERACTIVE = new Set([...CONTROLS, "link", "button", "option"]);
  const UNSEEN = new Set(["script", "style", "template", "head", "title", "meta", "link", "noscript"]);
  const CLOSED = new Set(["link", "button", "option", "textbox"]);
  const SCRIPTED = new Set(["date", "time", "month", "week", "datetime-local", "color", "range"]);
  const collapsed = (text) => text.replace(/[ \t\n\r\f]+/g, " ").replace(/^ | $/g, "");
  const tagOf = (node) => node.localName;

  // ---- random numbers and clocks ----
  let state = 0, shift = 0, skip = "";
  const RealDate = Date;
  const now = RealDate.now.bind(RealDate);
  const draw = () => {  // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  Math.random = draw;
  const fill = (array) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(draw() * 256);
    return array;
  };
  if (window.crypto) {
    try { crypto.getRandomValues = fill; } catch (error) { /* it can't be replaced here */ }
    const hex = () => Math.floor(draw() * 16).toString(16);
    if (crypto.randomUUID) crypto.randomUUID = () => "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replace(/x/g, hex);
  }
  window.Date = new Proxy(RealDate, {
    construct: (target, args, self) =>
      Reflect.construct(target, args.length ? args : [now() - shift], self),
    apply: () => new RealDate(now() - shift).toString(),
    get: (target, key) => (key === "now" ? () => now() - shift : Reflect.get(target, key)),
  });
  RealDate.prototype.constructor = window.Date;
  const loaded = now();
  Performance.prototype.now = () => now() - loaded;
  Object.defineProperty(Event.prototype, "timeStamp", { get: () => performance.now() });

  // ---- frames ----
  // The browser's frames come by the real clock, of which the page's own knows nothing: here they are timers, whose
  // beat counts from where the episode begins, so that it does not tell how long the page took to load.
  const FRAME = 16;
  const nextFrame = window.requestAnimationFrame;
  let frame = true;
  const ask = () => { frame = false, nextFrame(() => { frame = true; }); };
  const drawn = () => frame;
  window.requestAnimationFrame = (call) =>
    setTimeout(() => call(performance.now()), FRAME - (now() - shift) % FRAME);
  window.cancelAnimationFrame = (frame) => clearTimeout(frame);

  // ---- who listens to the mouse, and whether anybody waits for what comes with a frame ----
  const listeners = new WeakSet();
  let watches = false;
  const addEventListener = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (type, ...rest) {
    const target = this ?? window;  // called by its bare name
    if (type === "click" || type === "mousedown" || type === "mouseup") listeners.add(target);
    if (type === "scroll" || type === "scrollend") watches = true;
    return addEventListener.call(target, type, ...rest);
  };
  for (const Watcher of [ResizeObserver, IntersectionObserver]) {
    const observe = Watcher.prototype.observe;
    Watcher.prototype.observe = function (...rest) {
      watches = true;
      return observe.apply(this, rest);
    };
  }
  const animate = Element.prototype.animate;
  Element.prototype.animate = function (...rest) {
    watches = true;
    return animate.apply(this, rest);
  };
  const watching = () => watches ||= Boolean(window.onscroll || document.onscroll || document.querySelector("[onscroll]"));
  const listens = (node) => node.onclick !== null || node.onmousedown !== null || listeners.has(node);

  // ---- what is under the mouse ----
  // Chromium tells a page so with each frame, that is at any time by the page's own clock. Here it is told when the mouse
  // moves and whenever the page is read.
  const hovers = [["pointer", PointerEvent], ["mouse", MouseEvent]].map(([prefix, Kind]) => {
    let x = 0, y = 0, moved = false, under = null;  // a first page is told of a mouse in the corner, later ones are not
    const tell = (node, type, to, event, bubbles) => node.dispatchEvent(new Kind(prefix + type, {
      bubbles, cancelable: bubbles, composed: true, view: window, relatedTarget: to, clientX: event.clientX,
      clientY: event.clientY, screenX: event.screenX, screenY: event.screenY, buttons: event.buttons,
      pointerId: 1, pointerType: "mouse", isPrimary: true,
    }));
    const line = (node) => {
      const found = [];
      for (; node instanceof Element; node = node.parentNode) found.push(node);
      return found;
    };
    const enter = (node, event) => {
      const from = under && under.isConnected ? under : null;
      if (node === from) return;
      under = node;
      const left = line(from), entered = line(node);
      if (from) tell(from, "out", node, event, true);
      for (const each of left) if (!entered.includes(each)) tell(each, "leave", node, event, false);
      if (node) tell(node, "over", from, event, true);
      for (const each of entered.reverse()) if (!left.includes(each)) tell(each, "enter", from, event, false);
    };
    for (const type of ["over", "out", "enter", "leave"]) {
      addEventListener.call(window, prefix + type, (event) => event.isTrusted && event.stopImmediatePropagation(), true);
    }
    addEventListener.call(window, prefix + "move", (event) => {
      if (!event.isTrusted) return;
      const toX = Math.floor(event.clientX), toY = Math.floor(event.clientY);
      if (toX === x && toY === y) event.stopImmediatePropagation();
      else {
        x = toX, y = toY, moved = true;
        enter(event.target, event);
      }
    }, true);
    return () => moved && enter(document.elementFromPoint(x, y), { clientX: x, clientY: y });
  });

  // ---- what a page may not do; an attempt is told to the gate, which counts it ----
  const refuse = (what) => { new Image().src = "http://refused.invalid/" + what; };
  const refusing = (what) => function () {
    refuse(what);
    throw new DOMException(what + " is not available here", "SecurityError");
  };
  for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection", "WebTransport"]) {
    Object.defineProperty(window, name, { value: refusing(name), writable: false, configurable: false });
  }
  const register = () => {
    refuse("ServiceWorker");
    return Promise.reject(new DOMException("service workers are not available here", "SecurityError"));
  };
  const container = Object.freeze({
    register, controller: null, ready: new Promise(() => {}), getRegistrations: async () => [],
    getRegistration: async () => undefined, addEventListener: () => {}, removeEventListener: () => {},
  });
  Object.defineProperty(Navigator.prototype, "serviceWorker", { get: () => container, configurable: false });

  // ---- no motion ----
  const still = () => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("*,*::before,*::after{animation:none!important;transition:none!important;" +
      "caret-color:transparent!important;scroll-behavior:auto!important}");
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  };
  still();

  // ---- pictures that stand in for an element, perhaps only under the mouse ----
  // Until such a picture is there its element has no size. They are fetched at once, so that it is not the time of a fetch
  // that tells what a click meets.
  const kept = [];
  const fetchContents = () => {
    for (const sheet of document.styleSheets) {
      let rules = [];
      try { rules = sheet.cssRules; } catch (error) { /* of another origin */ }
      for (const rule of rules) {
        const found = rule.style && /url\("?([^")]+)"?\)/.exec(rule.style.content);
        const address = found && new URL(found[1], sheet.href || document.baseURI);
        if (address && address.origin === location.origin) {
          const image = new Image();
          image.src = address.href;
          kept.push(image);
        }
      }
    }
  };
  addEventListener.call(window, "load", fetchContents);

  // ---- the element table ----
  let rows = [];
  const roleOf = (node) => {
    const given = node.getAttribute("role");
    if (ROLES.has(given)) return given;
    const tag = tagOf(node);
    if (tag === "input") return ROLE_OF_INPUT[node.type] || "textbox";
    if (tag === "a" && !node.hasAttribute("href") && !node.onclick) return "text";
    if (node.isContentEditable && !(node.parentElement && node.parentElement.isContentEditable)) return "textbox";
    return ROLE_OF_TAG[tag] || "text";
  };
  const ownText = (node) => {
    let text = "";
    for (const child of node.childNodes) if (child.nodeType === 3) text += (text ? " " : "") + child.data;
    return collapsed(text);
  };
  const textOf = (node) => {
    let text = "";
    for (const child of node.childNodes) {
      if (child.nodeType === 3) text += child.data;
      else if (child.nodeType === 1 && !UNSEEN.has(tagOf(child))) text += textOf(child);
    }
    return text;
  };
  const nameOf = (node, role) => {
    const given = (name) => node.getAttribute(name) || "";
    const label = given("aria-label").trim();
    if (label) return label;
    if (CONTROLS.has(role)) {
      const owner = node.labels && node.labels[0];
      return (owner && ownText(owner)) || given("placeholder") || given("title");
    }
    if (tagOf(node) === "input") return node.value || given("title") || "Submit";
    if (role === "link" || role === "button" || role === "option") return collapsed(textOf(node)) || given("title");
    if (role === "image") return given("alt") || given("title");
    if (role === "shape") return node.getAttribute("fill") || getComputedStyle(node).fill || "";
    return ownText(node) || given("title") || (node.childElementCount ? "" : looks(node));
  };
  // What an element without words shows: its colour or, like most icons, a picture that only its classes or id tell of.
  const looks = (node) => {
    const colour = getComputedStyle(node).backgroundColor;
    return colour !== "rgba(0, 0, 0, 0)" ? colour : [...node.classList].sort().join(" ") || node.id;
  };
  const isRow = (node, role) => {
    if (INTERACTIVE.has(role) || role === "image" || role === "shape") return true;
    if (tagOf(node) === "label" && node.control) return false;
    if (ownText(node)) return true;
    // Something empty that can be pressed: a coloured box, an icon.
    return node.childElementCount === 0 && (listens(node) || getComputedStyle(node).cursor === "pointer");
  };
  const seen = (node, found) => {
    const tag = tagOf(node);
    if (UNSEEN.has(tag) || (skip && node.matches(skip))) return;
    if (tag === "option") { found.push([node, "option"]); return; }
    const style = getComputedStyle(node);
    if (style.display === "none") return;
    if (style.visibility !== "hidden" && node.type !== "hidden") {
      const role = roleOf(node);
      if (isRow(node, role)) found.push([node, role]);
      if (CLOSED.has(role)) return;
    }
    for (const child of node.children) seen(child, found);
  };
  const boxOf = (node, role) => {
    const shown = role === "option" ? node.closest("select") || node : node;
    const box = shown.getBoundingClientRect();
    return [Math.round(box.x), Math.round(box.y), Math.round(box.width), Math.round(box.height)];
  };
  const valueOf = (node, role) => {
    if (role === "combobox") {
      const chosen = node.selectedOptions ? node.selectedOptions[0] : null;
      return chosen ? collapsed(textOf(chosen)) : "";
    }
    if (role === "textbox") return node.value === undefined ? collapsed(textOf(node)) : node.value;
    return role === "slider" && node.value !== undefined ? String(node.value) : "";
  };
  const flagsOf = (node, role, box) => {
    let flags = 0;
    if (INTERACTIVE.has(role) || listens(node) || node.tabIndex >= 0) flags |= 1;
    if (node.disabled) flags |= 8;
    else if (role === "textbox" && !node.readOnly) flags |= 2;
    if (role === "option" ? node.selected : node.checked) flags |= 4;
    if (node === document.activeElement && node !== document.body) flags |= 16;
    const [x, y, w, h] = box;
    if (x < innerWidth && y < innerHeight && x + w > 0 && y + h > 0 && w * h > 0) flags |= 32;
    return flags;
  };
  const observe = (limit, probe) => {
    for (const hover of hovers) hover();
    // Chromium takes the focus from what is no longer laid out with its next frame.
    const focused = document.activeElement;
    if (focused && focused !== document.body && !focused.getClientRects().length) focused.blur();
    const found = [];
    if (document.body) seen(document.body, found);
    rows = found.slice(0, limit).map((row) => row[0]);
    const table = found.slice(0, limit).map(([node, role]) => {
      const box = boxOf(node, role);
      return [role, nameOf(node, role), valueOf(node, role), flagsOf(node, role, box), ...box];
    });
    let told = null;
    if (probe) told = probe();
    return JSON.stringify([location.href, document.title, table, told, watching()]);
  };

  // ---- acting ----
  const changed = (node) => {
    node.dispatchEvent(new Event("input", { bubbles: true }));
    node.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const place = (index) => {  // the middle of what is seen of a row, after it was brought into view
    const node = rows[index];
    if (!node || !node.isConnected) return null;
    let box = node.getBoundingClientRect();
    if (box.top < 0 || box.left < 0 || box.bottom > innerHeight || box.right > innerWidth) {
      node.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
      box = node.getBoundingClientRect();
    }
    const left = Math.max(box.left, 0), right = Math.min(box.right, innerWidth);
    const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight);
    return right > left && bottom > top ? [(left + right) / 2, (top + bottom) / 2] : null;
  };
  const choose = (index) => {  // an option of a list: its menu is drawn by the system, so it is set by script
    const node = rows[index];
    const list = node.closest("select");
    if (!list || list.disabled || node.disabled) return;
    list.focus();
    if (list.multiple) node.selected = !node.selected;
    else list.value = node.value, node.selected = true;
    changed(list);
  };
  const ready = (index) => {  // focuses a text box and selects its content; says how text is to be put in
    const node = rows[index];
    if (!node || node.disabled || node.readOnly) return "no";
    if (SCRIPTED.has(node.type)) return "script";
    if (!("value" in node) && !node.isContentEditable) return "no";
    node.focus();
    if (node.select) node.select();
    else getSelection().selectAllChildren(node);
    return "type";
  };
  const put = (index, text) => {  // by script
    const node = rows[index];
    if (!node || node.disabled || node.readOnly) return;
    node.focus();
    if ("value" in node) {
      const setter = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(node), "value").set;
      setter.call(node, text);
    } else node.textContent = text;
    changed(node);
  };
  const press = (index) => {  // by script
    const node = rows[index];
    if (!node || node.disabled) return;
    if (tagOf(node) === "option") { choose(index); return; }
    if (node.focus) node.focus();
    for (const type of ["mousedown", "mouseup"]) node.dispatchEvent(new MouseEvent(type, { bubbles: true, view: window }));
    if (node.click) node.click();
    else node.dispatchEvent(new MouseEvent("click", { bubbles: true, view: window }));
  };
  const scroll = (pages) => {
    const holder = document.elementFromPoint(innerWidth / 2, innerHeight / 2);
    for (let node = holder; node && node !== document.documentElement; node = node.parentElement) {
      const style = getComputedStyle(node).overflowY;
      if ((style === "auto" || style === "scroll") && node.scrollHeight > node.clientHeight) {
        node.scrollTop += pages * node.clientHeight;
        return;
      }
    }
    scrollBy({ top: pages * innerHeight, behavior: "instant" });
  };
  const begin = (given) => { state = given.seed | 0; shift = given.shift; skip = given.skip; };
  begin(settings);
  const api = { begin, observe, ask, drawn, place, choose, ready, put, press, scroll };
  Object.defineProperty(window, "__potentia", { value: Object.freeze(api), enumerable: false });
})
