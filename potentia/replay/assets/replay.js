"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const stored = (id) => JSON.parse(byId(id).textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const PLAY = "M4 2.5v11l9-5.5z", PAUSE = "M4 3h3v10H4zM9 3h3v10H9z";
  const ENDS = {
    success: "success", terminated: "ended without success", truncated: "cut off by a limit",
    failure: "failed", unfinished: "unfinished: the recording stopped here",
  };
  const SHORT_ENDS = { success: "success", terminated: "ended", truncated: "cut off", failure: "failed", unfinished: "unfinished" };
  const COLOURS = 7, WIDE_TEXT = 64, MAX_CHIPS = 200;
  const episodes = stored("data-episodes");
  let current = 0, data = null, at = 0, playing = null;

  // ---- small things -------------------------------------------------------------------------------------------
  /** Digits that matter: four, of small ones one less, and never fewer than an integer has; a dash for no number. */
  function number(value, digits = 4) {
    if (value === null || value === undefined) return "–";
    const size = Math.abs(value);
    const rounded = size < 10 ** (digits - 1) ? value.toPrecision(size < 0.1 ? digits - 1 : digits) : value.toFixed(1);
    return String(Number(rounded)).replace(/-/g, "−");
  }
  /** An element with attributes and children; strings become text, never markup. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }
  function draw(tag, attributes, ...children) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }
  /** Running sums from 0: one more than the values. */
  function sums(values) {
    const found = new Float64Array(values.length + 1);
    values.forEach((value, index) => { found[index + 1] = found[index] + (value ?? 0); });
    return found;
  }
  const show = (id, wanted) => { byId(id).hidden = !wanted; };
  const ending = (episode) => (episode.failure ? `failed: ${episode.failure}` : ENDS[episode.end]);
  const shortEnding = (episode) => (episode.failure ? `failed: ${episode.failure}` : SHORT_ENDS[episode.end]);

  // ---- the list of episodes -----------------------------------------------------------------------------------
  const shapedAnywhere = episodes.some((episode) => Math.abs(episode.shaped - episode.true) > 1e-12);
  function listEpisodes() {
    const heads = shapedAnywhere ? ["", "Return", "Shaped", "Steps"] : ["", "Return", "Steps"];
    byId("episodes-head").append(...heads.map((head) => make("span", {}, head)));
    for (const id of ["episodes-head", "episodes"]) byId(id).classList.toggle("plain", !shapedAnywhere);
    episodes.forEach((episode, index) => {
      const parts = [
        make("span", { class: "number" }, `${episode.number}`),
        make("span", { class: "true" }, number(episode.true)),
        ...(shapedAnywhere ? [make("span", {}, number(episode.shaped))] : []),
        make("span", {}, `${episode.length}`),
        make("span", { class: `end ${episode.end}` }, shortEnding(episode)),
      ];
      const button = make("button", { type: "button" }, ...parts);
      const shaped = shapedAnywhere ? `, shaped return ${number(episode.shaped)}` : "";
      button.setAttribute("aria-label", `Episode ${episode.number}: return ${number(episode.true)}${shaped}, ` +
        `${episode.length} steps, ${ending(episode)}`);
      button.addEventListener("click", () => choose(index));
      byId("episodes").append(make("li", {}, button));
    });
  }

  function choose(index) {
    pause();
    current = index;
    const episode = episodes[index];
    data = stored(`data-${index}`);
    data.length = episode.length;
    data.sums = new Map(Object.entries(data.terms).map(([name, term]) => [name, sums(term)]));
    data.trueSums = sums(data.true);
    // The environment's own term is the true reward, which is shown apart.
    const terms = Object.keys(data.terms);
    data.names = terms.filter((name) => name !== "env" || data.terms.env.some((value, step) => value !== data.true[step]));
    data.shaped = data.names.length > 0;
    data.reward = data.true.map((_, step) => terms.reduce((sum, name) => sum + (data.terms[name][step] ?? 0), 0));
    data.total = sums(data.reward);
    data.happened = data.events.flatMap((names, step) => names.map((name) => ({ step, name })));
    byId("episodes").querySelectorAll("button").forEach((button, place) => button.setAttribute("aria-current", place === index));
    byId("world").textContent = episode.world;
    byId("labels").replaceChildren(...Object.entries({ episode: `${episode.number}`, ...data.labels }).map(([name, value]) =>
      make("div", {}, make("dt", {}, name), make("dd", {}, value))));
    byId("goal").textContent = data.goal;
    show("goal-box", data.goal);
    data.pictured = data.images.length > 0;
    const written = data.texts.values.some(Boolean);
    if (!data.pictured && !written) data.texts = data.captions;
    show("caption-box", data.captions.values.some(Boolean) && data.texts !== data.captions);
    show("events-now-box", data.happened.length);
    byId("slider").max = data.length;
    layOutView();
    layOutTerms();
    layOutEvents();
    layOutInfo();
    drawChart();
    go(0);
  }

  // ---- the parts that depend on the episode only --------------------------------------------------------------
  function layOutView() {
    const written = data.texts.values.some(Boolean);
    show("frame", data.pictured);
    show("text", !data.pictured && written);
    show("nothing", !data.pictured && !written);
    show("text-box", data.pictured && written);
    const longest = Math.max(...data.texts.values.flatMap((text) => text.split("\n").map((line) => line.length)));
    const prose = data.texts === data.captions || longest > 100;
    for (const id of ["text", "text-beside"]) byId(id).classList.toggle("prose", prose);
    byId("text").classList.toggle("spoken", data.texts === data.captions);
    byId("stage").classList.toggle("wide", !data.pictured && !prose && longest > WIDE_TEXT);
    actual = false;
    fitFrame();
  }

  const frame = byId("frame");
  let actual = false;
  /** Small pictures are enlarged by whole numbers, so that their pixels stay squares; large ones are shrunk to fit. */
  function fitFrame() {
    if (!data.pictured || !frame.naturalWidth) return;
    const ratio = frame.naturalWidth / frame.naturalHeight;
    byId("stage").classList.toggle("wide", ratio > 1.9 || (ratio > 1.2 && frame.naturalWidth >= 800));
    const room = byId("screen").clientWidth, tall = 560;
    const times = Math.floor(Math.min(room / frame.naturalWidth, tall / frame.naturalHeight));
    const fitting = times >= 1 ? times : Math.min(1, room / frame.naturalWidth);
    const scale = actual ? 1 : fitting;
    frame.style.width = `${Math.floor(frame.naturalWidth * scale)}px`;
    frame.classList.toggle("crisp", scale >= 1);
    show("actual", fitting < 1);
    byId("actual").setAttribute("aria-pressed", actual);
    byId("screen").classList.toggle("actual", actual);
  }
  byId("actual").addEventListener("click", () => {
    actual = !actual;
    fitFrame();
    const screen = byId("screen");
    screen.scrollLeft = (screen.scrollWidth - screen.clientWidth) / 2;
  });
  frame.addEventListener("load", fitFrame);

  function row(name, label, kind, colour) {
    const cells = ["step", "so-far", "episode"].map((column) => make("td", { class: "n", "data-column": column }));
    const head = make("th", { scope: "row" });
    if (colour) head.append(make("span", { class: `chip ${colour}`, "aria-hidden": "true" }));
    head.append(label);
    return make("tr", { class: kind, "data-term": name }, head, ...cells);
  }
  /** The first colour is the true reward's. */
  const colourOf = (index) => `c${1 + (index % (COLOURS - 1))}`;
  function layOutTerms() {
    const rows = [row("true", "True reward", "true", "c0")];
    if (data.shaped) {
      data.names.forEach((name, index) => rows.push(row(`term:${name}`, name, "term", colourOf(index))));
      rows.push(row("sum", "Learner’s reward", "sum", "ink"));
    }
    byId("terms-body").replaceChildren(...rows);
    const legend = data.shaped ? [...data.names.map((name, index) => [name, colourOf(index)]), ["learner’s reward", "ink"]] : [];
    byId("legend").replaceChildren(...legend.map(([name, colour]) =>
      make("li", {}, make("span", { class: `chip ${colour}`, "aria-hidden": "true" }), name)));
  }
  /** A series of the table: the values of the steps and their running sums. */
  function series(name) {
    if (name === "true") return [data.true, data.trueSums];
    if (name === "sum") return [data.reward, data.total];
    return [data.terms[name.slice(5)], data.sums.get(name.slice(5))];
  }

  function layOutEvents() {
    const chips = data.happened.slice(0, MAX_CHIPS).map(({ step, name }) => {
      const button = make("button", { type: "button", "data-step": step }, make("span", {}, `${step} `), name);
      button.addEventListener("click", () => { pause(); go(step); });
      return make("li", {}, button);
    });
    if (data.happened.length > MAX_CHIPS) chips.push(make("li", {}, `and ${data.happened.length - MAX_CHIPS} more`));
    byId("events").replaceChildren(...chips);
    show("events-box", chips.length);
  }

  function layOutInfo() {
    const names = Object.keys(data.info);
    byId("info").replaceChildren(...names.map((name) => make("tr", {}, make("th", { scope: "row" }, name), make("td"))));
    show("info-box", names.length);
  }

  // ---- the timeline -------------------------------------------------------------------------------------------
  const LEFT = 54, RIGHT = 12, TITLE = 25, GAP = 12;
  let chart = null;

  /** Round numbers, about as many as wanted, that cover a range. */
  function ticks(low, high, wanted) {
    const raw = (high - low) / Math.max(wanted, 1);
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw * 0.999);
    const found = [];
    for (let index = Math.ceil(low / step - 1e-9); index * step <= high + 1e-9 * step; index += 1) found.push(index * step);
    return found;
  }
  /** A path through values at steps `first`, `first + 1`, ...: of many in a pixel only the lowest and the highest. */
  function path(values, first, x, y, stepped) {
    const bin = Math.ceil((2 * values.length) / Math.max(1, x(data.length) - x(0)));
    const points = [];
    if (bin <= 2) values.forEach((value, index) => points.push([index, value ?? 0]));
    else {
      for (let start = 0; start < values.length; start += bin) {
        let low = start, high = start;
        for (let index = start; index < Math.min(start + bin, values.length); index += 1) {
          if (values[index] < values[low]) low = index;
          if (values[index] > values[high]) high = index;
        }
        for (const index of [Math.min(low, high), Math.max(low, high)]) points.push([index, values[index] ?? 0]);
      }
    }
    return points.map(([index, value], place) => {
      const across = x(first + index).toFixed(1), down = y(value).toFixed(1);
      if (!place) return `M${across} ${down}`;
      return stepped ? `H${across}V${down}` : `L${across} ${down}`;
    }).join("");
  }
  function needles(values, x, y) {
    return values.map((value, index) => (value ? `M${x(index + 1).toFixed(1)} ${y(0).toFixed(1)}V${y(value).toFixed(1)}` : "")).join("");
  }

  function drawChart() {
    const width = Math.max(240, byId("chart").clientWidth);
    const x = (step) => LEFT + (step / Math.max(data.length, 1)) * (width - LEFT - RIGHT);
    const lane = data.happened.length ? 18 : 0;
    const panels = [{ title: "True return so far; bars: each step", height: 104, curves: [
      { needles: data.true, colour: "c0" }, { values: data.trueSums, first: 0, colour: "c0", kind: "heavy", stepped: true, dot: true },
    ] }];
    if (data.shaped) {
      const dotted = data.length <= 60;
      panels.push({ title: "Shaping terms, each step", height: 116, curves: data.names.map((name, index) => (
        { values: data.terms[name], first: 1, colour: colourOf(index), points: dotted, dot: true })) });
      panels.push({ title: "Shaping terms, summed so far", height: 132, curves: [
        ...data.names.map((name, index) => ({ values: data.sums.get(name), first: 0, colour: colourOf(index), stepped: true, dot: true })),
        { values: data.total, first: 0, colour: "ink", kind: "total", stepped: true, dot: true },
      ] });
    }
    const height = lane + panels.reduce((sum, panel) => sum + TITLE + panel.height + GAP, 0) + 20;
    const svg = draw("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": described() });
    chart = { svg, x, width, dots: [], titles: [], bottom: height - 20 - GAP };
    let top = lane;
    for (const panel of panels) {
      drawPanel(svg, panel, top + TITLE, x, width);
      top += TITLE + panel.height + GAP;
    }
    for (const step of ticks(0, data.length, width / 110).filter(Number.isInteger)) {
      svg.append(draw("text", { x: x(step), y: height - 8, "text-anchor": step === data.length ? "end" : "middle" }, `${step}`));
    }
    svg.append(draw("text", { x: 0, y: height - 8 }, "step"));
    chart.cursor = draw("line", { class: "cursor", y1: 0, y2: chart.bottom });
    svg.append(chart.cursor, ...chart.titles, ...chart.dots.map((dot) => dot.circle));
    for (const { step, name } of data.happened) {
      const marker = draw("path", { class: "marker", d: `M${x(step) - 5} 2h10l-5 10z` });
      marker.append(draw("title", {}, `${step}: ${name}`));
      svg.append(marker);
    }
    svg.addEventListener("pointerdown", (event) => { pause(); svg.setPointerCapture(event.pointerId); follow(event); });
    svg.addEventListener("pointermove", (event) => { if (event.buttons & 1) follow(event); });
    byId("chart").replaceChildren(svg);
    if (at <= data.length) moveCursor();
  }

  function drawPanel(svg, panel, top, x, width) {
    let low = 0, high = 0;
    for (const curve of panel.curves) for (const value of curve.values ?? curve.needles) {
      low = Math.min(low, value ?? 0);
      high = Math.max(high, value ?? 0);
    }
    if (low === high) high = 1;
    const y = (value) => top + 4 + ((high - value) / (high - low)) * (panel.height - 8);
    chart.titles.push(draw("text", { class: "panel", x: 0, y: top - 8 }, panel.title));
    for (const tick of ticks(low, high, 3)) {
      svg.append(draw("line", { class: tick === 0 ? "zero-line" : "grid", x1: LEFT, x2: width - RIGHT, y1: y(tick), y2: y(tick) }));
      svg.append(draw("text", { x: LEFT - 8, y: y(tick) + 4, "text-anchor": "end" }, number(tick)));
    }
    for (const curve of panel.curves) {
      if (curve.needles) {
        svg.append(draw("path", { class: `needles stroked ${curve.colour}`, d: needles(curve.needles, x, y) }));
        continue;
      }
      const line = path(curve.values, curve.first, x, y, curve.stepped);
      svg.append(draw("path", { class: `curve stroked ${curve.colour} ${curve.kind ?? ""}`, d: line }));
      if (curve.points) curve.values.forEach((value, index) => svg.append(
        draw("circle", { class: `filled ${curve.colour}`, r: 2.2, cx: x(index + curve.first), cy: y(value ?? 0) })));
      if (curve.dot) {
        const circle = draw("circle", { class: `dot filled ${curve.colour}`, r: 4.5 });
        chart.dots.push({ circle, y, values: curve.values, first: curve.first });
      }
    }
  }
  function described() {
    const totals = [...data.sums].map(([name, running]) => `${name} ${number(running[data.length])}`).join(", ");
    return `Rewards over ${data.length} steps: true return ${number(data.trueSums[data.length])}; sums of the terms: ${totals}; ` +
      `${data.happened.length} events. The table of this step has the numbers.`;
  }
  function follow(event) {
    const box = chart.svg.getBoundingClientRect();
    const share = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT);
    go(Math.round(share * data.length));
  }
  function moveCursor() {
    const place = chart.x(at);
    chart.cursor.setAttribute("x1", place);
    chart.cursor.setAttribute("x2", place);
    for (const { circle, y, values, first } of chart.dots) {
      const value = values[at - first];
      circle.setAttribute("visibility", value === undefined || value === null ? "hidden" : "visible");
      circle.setAttribute("cx", place);
      circle.setAttribute("cy", y(value ?? 0));
    }
  }

  // ---- one step -----------------------------------------------------------------------------------------------
  function go(step) {
    at = Math.min(Math.max(step, 0), data.length);
    const action = at ? data.actions[at - 1] : "none: the start";
    const over = at === data.length;
    if (data.pictured) {
      const image = data.frames[at];
      show("frame", image >= 0);
      if (image >= 0 && frame.dataset.key !== `${current}/${image}`) {
        frame.dataset.key = `${current}/${image}`;
        frame.src = data.images[image];
      }
      const exact = at % data.stride === 0 || (over && episodes[current].end !== "unfinished");
      frame.alt = `Picture of step ${exact ? at : at - (at % data.stride)}`;
    }
    const text = data.texts.values[data.texts.index[at]];
    byId("text").textContent = text;
    byId("text-beside").textContent = text;
    byId("action").textContent = action;
    byId("next").textContent = over ? "–" : data.actions[at];
    byId("caption").textContent = data.captions.values[data.captions.index[at]] || "–";
    byId("events-now").textContent = data.events[at].join(", ") || "–";
    byId("events-now").className = data.events[at].length ? "" : "none";
    show("end-box", over);
    byId("end").textContent = [ending(episodes[current]), ...data.flags.map((flag) => `(${flag})`)].join(" ");
    byId("end").className = `end ${episodes[current].end}`;
    showTerms();
    showInfo();
    const slider = byId("slider");
    slider.value = at;
    slider.setAttribute("aria-valuetext", `Step ${at} of ${data.length}, action ${action}`);
    byId("place").replaceChildren(`${at} `, make("small", {}, `of ${data.length}`));
    byId("events").querySelectorAll("button").forEach((chip) => chip.classList.toggle("past", Number(chip.dataset.step) <= at));
    if (!playing) byId("status").textContent = `Step ${at} of ${data.length}, action ${action}`;
    moveCursor();
  }
  function showTerms() {
    for (const line of byId("terms-body").rows) {
      const [values, running] = series(line.dataset.term);
      const step = at ? values[at - 1] : null;
      const shown = { step, "so-far": running[at], episode: running[data.length] };
      for (const cell of line.querySelectorAll("td")) {
        const value = shown[cell.dataset.column];
        cell.textContent = number(value);
        cell.title = value === null ? "" : String(value);
        cell.classList.toggle("zero", !value);
      }
    }
  }
  function showInfo() {
    Object.values(data.info).forEach((column, index) => {
      const value = column[at];
      byId("info").rows[index].cells[1].textContent = typeof value === "number" ? number(value, 8) : String(value ?? "–");
    });
  }

  // ---- playing ------------------------------------------------------------------------------------------------
  function play() {
    if (at === data.length) go(0);
    let due = performance.now(), from = at;
    const tick = (now) => {
      const wanted = from + Math.floor(((now - due) / 1000) * Number(byId("speed").value));
      if (wanted > at) go(wanted);
      if (at >= data.length) pause();
      else playing = requestAnimationFrame(tick);
    };
    byId("speed").onchange = () => { due = performance.now(); from = at; };
    playing = requestAnimationFrame(tick);
    dress();
  }
  function pause() {
    if (playing) cancelAnimationFrame(playing);
    playing = null;
    dress();
    if (data) byId("status").textContent = `Step ${at} of ${data.length}`;
  }
  function dress() {
    byId("play").setAttribute("aria-label", playing ? "Pause" : "Play");
    byId("play-icon").setAttribute("d", playing ? PAUSE : PLAY);
  }

  const moves = {
    ArrowLeft: (many) => go(at - many), ArrowRight: (many) => go(at + many),
    Home: () => go(0), End: () => go(data.length),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    if (target instanceof Element && target.closest("select, pre")) return;
    if (event.key === " ") {
      if (target instanceof Element && target.closest("button, summary")) return;
      event.preventDefault();
      if (playing) pause(); else play();
    } else if (moves[event.key]) {
      event.preventDefault();
      pause();
      moves[event.key](event.shiftKey ? 10 : 1);
    }
  });
  const click = (id, action) => byId(id).addEventListener("click", () => { pause(); action(); });
  click("first", () => go(0));
  click("back", () => go(at - 1));
  click("on", () => go(at + 1));
  click("last", () => go(data.length));
  byId("play").addEventListener("click", () => { if (playing) pause(); else play(); });
  byId("slider").addEventListener("input", (event) => { pause(); go(Number(event.target.value)); });
  let width = 0;
  new ResizeObserver(() => {
    if (byId("chart").clientWidth === width) return;
    width = byId("chart").clientWidth;
    drawChart();
    fitFrame();
  }).observe(byId("chart"));

  listEpisodes();
  choose(0);
})();
