// Chance and time as an episode has them: the same seed draws the same numbers, and clocks begin where all episodes do.
// Runs in pages and in workers, before any script of theirs. `scope` is the window, or the worker's global object.
(scope) => {
  "use strict";
  const FRAME = 16;  // milliseconds
  const { Crypto, Date: RealDate, Document, Event, Intl, Performance, PerformanceTiming, Temporal } = scope;
  const { setTimeout, clearTimeout } = scope;
  const { apply, construct, get } = Reflect;
  const { floor, imul } = Math;
  const clock = RealDate.now.bind(RealDate);  // the browser's, which goes on from episode to episode
  const loaded = clock();
  let state = 0, shift = 0;  // of the random numbers; milliseconds by which clocks are set back
  const now = () => clock() - shift;
  const sinceLoaded = () => clock() - loaded;
  const show = (owner, name, get) => Object.defineProperty(owner, name, { get, configurable: true });

  // ---- random numbers ----
  const draw = () => {  // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = imul(state ^ (state >>> 15), 1 | state);
    t = (t + imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  Math.random = draw;
  const fill = Crypto.prototype.getRandomValues;
  Crypto.prototype.getRandomValues = function (array) {
    apply(fill, this, [array]);  // which refuses what must be refused
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let i = 0; i < bytes.length; i++) bytes[i] = floor(draw() * 256);
    return array;
  };
  if (Crypto.prototype.randomUUID) {
    const digit = () => floor(draw() * 16).toString(16);
    Crypto.prototype.randomUUID = () => "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replace(/x/g, digit);
  }

  // ---- clocks: whatever tells what time it is without being given one ----
  scope.Date = new Proxy(RealDate, {
    construct: (target, args, self) => construct(target, args.length ? args : [now()], self),
    apply: () => new RealDate(now()).toString(),
    get: (target, key) => (key === "now" ? now : get(target, key)),
  });
  RealDate.prototype.constructor = scope.Date;
  Performance.prototype.now = sinceLoaded;
  show(Performance.prototype, "timeOrigin", () => loaded - shift);
  show(Event.prototype, "timeStamp", sinceLoaded);
  const formats = Intl.DateTimeFormat.prototype, { formatToParts } = formats;
  const { get: formatOf } = Object.getOwnPropertyDescriptor(formats, "format");
  show(formats, "format", function () {
    const format = apply(formatOf, this, []);
    return (date = now()) => format(date);
  });
  formats.formatToParts = function (date = now()) { return apply(formatToParts, this, [date]); };
  if (Temporal) {
    const instant = () => Temporal.Instant.fromEpochMilliseconds(now());
    const zoned = (zone = Temporal.Now.timeZoneId()) => instant().toZonedDateTimeISO(zone);
    Object.assign(Temporal.Now, {
      instant,
      zonedDateTimeISO: zoned,
      plainDateTimeISO: (zone) => zoned(zone).toPlainDateTime(),
      plainDateISO: (zone) => zoned(zone).toPlainDate(),
      plainTimeISO: (zone) => zoned(zone).toPlainTime(),
    });
  }
  if (Document) {
    const parts = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
                    second: "2-digit", hourCycle: "h23" };
    show(Document.prototype, "lastModified", () => new RealDate(loaded - shift).toLocaleString("en-US", parts).replace(",", ""));
    for (const name of Object.keys(PerformanceTiming.prototype)) {
      if (name !== "toJSON") show(PerformanceTiming.prototype, name, () => loaded - shift);
    }
  }

  // ---- frames ----
  // The browser's frames come by the real clock, of which the page's own knows nothing: here they are timers, whose
  // beat counts from where the episode begins, so that it does not tell how long the page took to load.
  if (scope.requestAnimationFrame) {
    scope.requestAnimationFrame = (call) => setTimeout(() => call(sinceLoaded()), FRAME - now() % FRAME);
    scope.cancelAnimationFrame = (frame) => clearTimeout(frame);
  }

  return { begin: (seed, milliseconds) => { state = seed | 0; shift = milliseconds; } };
}
