// Reads a page and acts on it, from a world of its own: it shares the page's elements, while no script of the page can
// replace what it is made of. `settings`: {roles, flags, skip, hosts}: the names of roles and flags, a selector of what
// is no part of the page, and the hosts that it may ask for something.
(settings, still, hints, notes, mouse, table, acts) => {
  if (window.__potentia) return;
  still();
  hints(settings.hosts);
  const told = notes();
  const { hover } = mouse();
  const { read, rowAt } = table(settings, told);
  // Frames, and a body's own attributes, may have something to do when the page is left.
  const LEAVING = ["onbeforeunload", "onpagehide", "onunload"];
  const lasts = () => window.length > 0 || LEAVING.some((name) => document.body?.hasAttribute(name));
  let drawn = true;
  window.__potentia = {
    ...acts(rowAt),
    observe: (limit) => {
      hover();
      const seen = read(limit);
      return JSON.stringify([location.href, document.title.toWellFormed(), seen, told.probe(), told.watches(), lasts()]);
    },
    ask: () => {  // for a frame
      drawn = false;
      requestAnimationFrame(() => { drawn = true; });
    },
    drawn: () => drawn,
  };
}
