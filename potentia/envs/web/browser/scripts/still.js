// What would else come by the real clock: motion, and pictures that stand in for an element.
() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("*,*::before,*::after{animation:none!important;transition:none!important;" +
    "caret-color:transparent!important;scroll-behavior:auto!important}");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];

  // Until such a picture is there, perhaps only under the mouse, its element has no size. They are fetched at once, so
  // that it is not the time of a fetch that tells what a click meets.
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
  addEventListener("load", fetchContents);
}
