// What a page may not do; what of its doing outlasts it; and who on it listens. Runs in the page's own world, before any
// script of the page, and relies on nothing that a script could replace later. The reader (reader.js) lives in a world of
// its own, where it sees the same elements and none of the page's variables: it is told by events at the window, which
// the page never hears, since both listen before the page can. `probe` is what the task asks of the page, or null.
(probe) => {
  "use strict";
  const { FocusEvent, Node, DOMException, fetch } = window;
  const { addEventListener, removeEventListener, dispatchEvent } = EventTarget.prototype;
  const { stopImmediatePropagation } = Event.prototype;
  const { defineProperty, getOwnPropertyDescriptor } = Object;
  const { apply, construct } = Reflect;
  const { stringify } = JSON;
  const relatedTo = getOwnPropertyDescriptor(FocusEvent.prototype, "relatedTarget").get;
  const write = getOwnPropertyDescriptor(CharacterData.prototype, "data").set;

  // ---- the driver: it hears of each address that Chromium refuses by itself, as it refuses these ----
  const { then } = Promise.prototype;
  const report = (what) => { apply(then, apply(fetch, window, [`potentia-${what}:`]), [undefined, () => {}]); };
  const reported = { lasts: false, leaves: false };
  const once = (what) => {
    if (!reported[what]) report(what);
    reported[what] = true;
  };

  // ---- the reader ----
  const tell = (what, node = null) => {
    apply(dispatchEvent, window, [new FocusEvent("potentia-" + what, { relatedTarget: node })]);
  };
  const answer = () => {
    try { return stringify(probe()); } catch (error) { return "failed: " + error; }
  };
  apply(addEventListener, window, ["potentia-probe", (event) => {  // it brings a slip of paper
    apply(stopImmediatePropagation, event, []);
    if (probe) apply(write, apply(relatedTo, event, []), [answer()]);
  }, true]);

  let farewells = null;  // the listeners to leaving: {target, given, next}

  // ---- who listens to the mouse, and whether anybody waits for what comes with a frame ----
  EventTarget.prototype.addEventListener = function (...given) {
    const target = this ?? window, type = given[0];  // called by its bare name
    if ((type === "click" || type === "mousedown" || type === "mouseup") && target instanceof Node) tell("listens", target);
    if (type === "scroll" || type === "scrollend") tell("watches");
    if (type === "beforeunload" || type === "pagehide" || type === "unload" || type === "visibilitychange") {
      farewells = { target, given, next: farewells };
      once("leaves");
    }
    return apply(addEventListener, target, given);
  };
  const before = (owner, name, does) => {  // a method that first tells
    const method = owner[name];
    owner[name] = function (...given) {
      does();
      return apply(method, this, given);
    };
  };
  for (const watcher of [ResizeObserver, IntersectionObserver]) before(watcher.prototype, "observe", () => tell("watches"));
  before(Element.prototype, "animate", () => tell("watches"));
  // Calls `does(this, value)` whenever an attribute of an interface is set, and `seen` whenever it is read; gives what
  // sets it.
  const around = (owner, name, does, seen) => {
    const found = getOwnPropertyDescriptor(owner, name);
    if (!found) return;
    let { get, set, value } = found;
    if ("value" in found) {
      get = () => value;
      set = (given) => { value = given; };
    }
    defineProperty(owner, name, {
      get() {
        seen?.();
        return apply(get, this, []);
      },
      set: set && function (given) {
        apply(set, this ?? window, [given]);
        does(this ?? window, given);
      },
      enumerable: found.enumerable,
      configurable: false,
    });
    return set;
  };
  for (const owner of [HTMLElement.prototype, SVGElement.prototype, MathMLElement.prototype]) {
    for (const name of ["onclick", "onmousedown"]) {
      around(owner, name, (node, call) => tell((call ? "has-" : "has-no-") + name, node));
    }
  }
  for (const owner of [window, Document.prototype, HTMLElement.prototype]) around(owner, "onscroll", () => tell("watches"));

  // ---- addresses that an interface refuses by itself, and throws ----
  const counted = (call, args) => {
    try { return call(...args); } catch (error) {
      report("refused");
      throw error;
    }
  };
  for (const name of ["Worker", "SharedWorker"]) {
    if (window[name]) window[name] = new Proxy(window[name], { construct: (...args) => counted(construct, args) });
  }
  const { sendBeacon } = Navigator.prototype;
  Navigator.prototype.sendBeacon = function (...given) { return counted(apply, [sendBeacon, this, given]); };

  // ---- what outlasts a document ----
  // Who touches any of it gets a tab in which nobody did before.
  const LASTING = [
    [window, "localStorage", "sessionStorage", "indexedDB", "caches", "cookieStore", "sharedStorage", "name", "history",
     "navigation", "Worker", "SharedWorker", "webkitRequestFileSystem", "webkitResolveLocalFileSystemURL"],
    [Document.prototype, "cookie"],
    [Navigator.prototype, "storage", "storageBuckets", "webkitTemporaryStorage", "webkitPersistentStorage"],
  ];
  const lasts = () => once("lasts");
  for (const [owner, ...names] of LASTING) for (const name of names) around(owner, name, lasts, lasts);

  // ---- what is to be done when the document is left, which might never end: it is not done when an episode ends ----
  const HANDLERS = [
    [window, "onbeforeunload", "onpagehide", "onunload"],
    [HTMLBodyElement.prototype, "onbeforeunload", "onpagehide", "onunload"],
    [Document.prototype, "onvisibilitychange"],
  ];
  const unset = [];
  for (const [owner, ...names] of HANDLERS) {
    for (const name of names) {
      const set = around(owner, name, () => once("leaves"));
      if (owner !== HTMLBodyElement.prototype) unset.push(() => apply(set, owner === window ? window : document, [null]));
    }
  }
  const leave = () => {
    for (; farewells; farewells = farewells.next) apply(removeEventListener, farewells.target, farewells.given);
    for (let i = 0; i < unset.length; i++) unset[i]();
  };

  // ---- what a page may not do ----
  const refused = (what) => {
    report("refused");
    return new DOMException(what + " is not available here", "SecurityError");
  };
  for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection", "WebTransport"]) {
    const value = function () { throw refused(name); };
    defineProperty(window, name, { value, writable: false, configurable: false });
  }
  const never = new Promise(() => {});
  const container = Object.freeze({
    register: async () => { throw refused("ServiceWorker"); },
    controller: null, ready: never, getRegistrations: async () => [], getRegistration: async () => undefined,
    addEventListener: () => {}, removeEventListener: () => {},
  });
  defineProperty(Navigator.prototype, "serviceWorker", { get: () => container, configurable: false });

  return { leave };
}
