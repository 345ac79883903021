// What the page's own world tells the reader (walls.js): who listens to the mouse, whether anybody waits for what comes
// with a frame, and what the task asks of the page.
() => {
  const listeners = new WeakSet(), handlers = { onclick: new WeakMap(), onmousedown: new WeakMap() };
  let watching = false;
  const on = (what, does) => addEventListener("potentia-" + what, (event) => {
    event.stopImmediatePropagation();
    does(event.relatedTarget);
  }, true);
  on("listens", (node) => listeners.add(node));
  on("watches", () => { watching = true; });
  for (const [name, known] of Object.entries(handlers)) {
    on("has-" + name, (node) => known.set(node, true));
    on("has-no-" + name, (node) => known.set(node, false));
  }
  const handles = (node, name) => handlers[name].get(node) ?? Element.prototype.hasAttribute.call(node, name);
  const wellFormed = (key, value) => (typeof value === "string" ? value.toWellFormed() : value);
  return {
    handles,
    listens: (node) => handles(node, "onclick") || handles(node, "onmousedown") || listeners.has(node),
    watches: () => watching ||= document.querySelector("[onscroll]") !== null,
    probe: () => {
      const slip = document.createComment("null");
      dispatchEvent(new FocusEvent("potentia-probe", { relatedTarget: slip }));
      return JSON.parse(slip.data, wellFormed);
    },
  };
}
