// Acts on rows of the table, as far as the browser's own mouse and keyboard can't. `rowAt` gives the element of a row.
(rowAt) => {
  // Controls of a kind whose content is set by script: the system draws how it is chosen.
  const SCRIPTED = new Set(["date", "time", "month", "week", "datetime-local", "color", "range"]);
  // A form's controls hide the form's own members under their names, so these are had by way of its class.
  const call = (node, method, ...given) => Object.getPrototypeOf(node)[method]?.call(node, ...given);
  const send = (node, event) => call(node, "dispatchEvent", event);
  const changed = (node) => {
    send(node, new Event("input", { bubbles: true }));
    send(node, new Event("change", { bubbles: true }));
  };
  const place = (index) => {  // the middle of what is seen of a row, after it was brought into view
    const node = rowAt(index);
    if (!node || !document.contains(node)) return null;
    let box = call(node, "getBoundingClientRect");
    if (box.top < 0 || box.left < 0 || box.bottom > innerHeight || box.right > innerWidth) {
      call(node, "scrollIntoView", { block: "center", inline: "center", behavior: "instant" });
      box = call(node, "getBoundingClientRect");
    }
    const left = Math.max(box.left, 0), right = Math.min(box.right, innerWidth);
    const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight);
    return right > left && bottom > top ? [(left + right) / 2, (top + bottom) / 2] : null;
  };
  const choose = (index) => {  // an option of a list, whose menu the system draws
    const node = rowAt(index);
    const list = node && call(node, "closest", "select");
    if (!list || list.disabled || node.disabled) return;
    list.focus();
    if (list.multiple) node.selected = !node.selected;
    else list.value = node.value, node.selected = true;
    changed(list);
  };
  const ready = (index) => {  // focuses a text box and selects its content; says how text is to be put in
    const node = rowAt(index);
    if (!node || node.disabled || node.readOnly) return "no";
    if (SCRIPTED.has(node.type)) return "script";
    if (!("value" in node) && !node.isContentEditable) return "no";
    node.focus();
    if (node.select) node.select();
    else getSelection().selectAllChildren(node);
    return "type";
  };
  const put = (index, text) => {
    const node = rowAt(index);
    if (!node || node.disabled || node.readOnly) return;
    node.focus();
    if ("value" in node) node.value = text;
    else node.textContent = text;
    changed(node);
  };
  const press = (index) => {
    const node = rowAt(index);
    if (!node || node.disabled === true) return;
    if (node instanceof HTMLOptionElement) { choose(index); return; }
    call(node, "focus");
    for (const type of ["mousedown", "mouseup"]) send(node, new MouseEvent(type, { bubbles: true, view: window }));
    if (node instanceof HTMLElement) call(node, "click");
    else send(node, new MouseEvent("click", { bubbles: true, view: window }));
  };
  const scroll = (pages) => {  // what lies in the middle
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
  return { place, choose, ready, put, press, scroll };
}
