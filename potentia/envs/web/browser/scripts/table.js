// The element table: what is on the page, a row for each thing that can be acted on or read.
// `settings`: {roles, flags, skip}; `told`: what notes.js gives.
(settings, told) => {
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
  const ROLES = new Set(settings.roles);
  const BIT = Object.fromEntries(settings.flags.map((flag, index) => [flag, 1 << index]));
  const CONTROLS = new Set(["textbox", "checkbox", "radio", "combobox", "slider"]);
  const INTERACTIVE = new Set([...CONTROLS, "link", "button", "option"]);
  const UNSEEN = new Set(["script", "style", "template", "head", "title", "meta", "link", "noscript"]);
  const CLOSED = new Set(["link", "button", "option", "textbox"]);  // what is within belongs to them
  const FAR = 2 ** 15 - 1;
  const collapsed = (text) => text.replace(/[ \t\n\r\f]+/g, " ").replace(/^ | $/g, "");

  // A form's controls hide the form's own members under their names, so these are had by way of its class.
  const { getAttribute, hasAttribute, matches, closest, getBoundingClientRect } = Element.prototype;
  const member = (node, name) => (node instanceof HTMLFormElement ? Reflect.get(HTMLFormElement.prototype, name, node) : node[name]);
  const attribute = (node, name) => getAttribute.call(node, name) || "";
  const tagOf = (node) => member(node, "localName");

  const ownText = (node) => {
    let text = "";
    for (const child of member(node, "childNodes")) {
      if (child.nodeType === Node.TEXT_NODE) text += (text ? " " : "") + child.data;
    }
    return collapsed(text);
  };
  const textOf = (node) => {
    let text = "";
    for (const child of member(node, "childNodes")) {
      if (child instanceof Text) text += child.data;
      else if (child instanceof Element && !UNSEEN.has(tagOf(child))) text += textOf(child);
    }
    return text;
  };

  const roleOf = (node) => {
    const given = getAttribute.call(node, "role");
    if (ROLES.has(given)) return given;
    const tag = tagOf(node);
    if (tag === "input") return ROLE_OF_INPUT[node.type] || "textbox";
    if (tag === "a" && !hasAttribute.call(node, "href") && !told.handles(node, "onclick")) return "text";
    const parent = member(node, "parentElement");
    if (member(node, "isContentEditable") && !(parent && member(parent, "isContentEditable"))) return "textbox";
    return ROLE_OF_TAG[tag] || "text";
  };
  const nameOf = (node, role) => {
    const label = attribute(node, "aria-label").trim();
    if (label) return label;
    const title = attribute(node, "title");
    if (CONTROLS.has(role)) {
      const owner = node.labels && node.labels[0];
      return (owner && ownText(owner)) || attribute(node, "placeholder") || title;
    }
    if (tagOf(node) === "input") return node.value || title || "Submit";
    if (role === "link" || role === "button" || role === "option") return collapsed(textOf(node)) || title;
    if (role === "image") return attribute(node, "alt") || title;
    if (role === "shape") return attribute(node, "fill") || getComputedStyle(node).fill || "";
    return ownText(node) || title || (member(node, "childElementCount") ? "" : looks(node));
  };
  // What an element without words shows: its colour or, like most icons, a picture that only its classes or id tell of.
  const looks = (node) => {
    const colour = getComputedStyle(node).backgroundColor;
    return colour !== "rgba(0, 0, 0, 0)" ? colour : [...member(node, "classList")].sort().join(" ") || attribute(node, "id");
  };

  const isRow = (node, role) => {
    if (INTERACTIVE.has(role) || role === "image" || role === "shape") return true;
    if (tagOf(node) === "label" && node.control) return false;
    if (ownText(node)) return true;
    // Something empty that can be pressed: a coloured box, an icon.
    return member(node, "childElementCount") === 0 && (told.listens(node) || getComputedStyle(node).cursor === "pointer");
  };
  const seen = (node, found) => {
    const tag = tagOf(node);
    if (UNSEEN.has(tag) || (settings.skip && matches.call(node, settings.skip))) return;
    if (tag === "option") { found.push([node, "option"]); return; }
    const style = getComputedStyle(node);
    if (style.display === "none") return;
    if (style.visibility !== "hidden" && node.type !== "hidden") {
      const role = roleOf(node);
      if (isRow(node, role)) found.push([node, role]);
      if (CLOSED.has(role)) return;
    }
    for (const child of member(node, "children")) seen(child, found);
  };

  const pixels = (number) => Math.max(-FAR, Math.min(FAR, Math.round(number))) || 0;
  const boxOf = (node, role) => {
    const shown = role === "option" ? closest.call(node, "select") || node : node;
    const { x, y, width, height } = getBoundingClientRect.call(shown);
    return [x, y, width, height].map(pixels);
  };
  const valueOf = (node, role) => {
    if (role === "combobox") {
      const chosen = node.selectedOptions ? node.selectedOptions[0] : null;
      return chosen ? collapsed(textOf(chosen)) : "";
    }
    if (role === "textbox") return node.value === undefined ? collapsed(textOf(node)) : String(node.value);
    return role === "slider" && node.value !== undefined ? String(node.value) : "";
  };
  const flagsOf = (node, role, [x, y, width, height]) => {
    let flags = 0;
    if (INTERACTIVE.has(role) || member(node, "tabIndex") >= 0 || told.listens(node)) flags |= BIT.interactive;
    if (node.disabled === true) flags |= BIT.disabled;
    else if (role === "textbox" && !node.readOnly) flags |= BIT.editable;
    if ((role === "option" ? node.selected : node.checked) === true) flags |= BIT.checked;
    if (node === document.activeElement && node !== document.body) flags |= BIT.focused;
    if (x < innerWidth && y < innerHeight && x + width > 0 && y + height > 0 && width * height > 0) flags |= BIT.visible;
    return flags;
  };

  let rows = [];
  const read = (limit) => {
    // Chromium takes the focus from what is no longer laid out with its next frame.
    const focused = document.activeElement;
    if (focused && focused !== document.body && !focused.getClientRects().length) focused.blur();
    const found = [];
    if (document.body) seen(document.body, found);
    const shown = found.slice(0, limit);
    rows = shown.map(([node]) => node);
    return shown.map(([node, role]) => {
      const box = boxOf(node, role);
      return [role, nameOf(node, role).toWellFormed(), valueOf(node, role).toWellFormed(), flagsOf(node, role, box), ...box];
    });
  };
  return { read, rowAt: (index) => rows[index] };
}
