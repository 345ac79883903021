// Counts what a page asks for and Chromium does not: what it is to get ready for, and what the page's own policy forbids.
// No request comes of it that the gate could count.
// `hosts` are those that the page may ask.
(hosts) => {
  const READIES = /\b(preconnect|dns-prefetch|prerender)\b/i;
  const ADDRESS = /\b[a-z][a-z0-9+.-]*:[^\s"'\\]+|\/\/[^\s"'\\]+/gi;
  const count = () => fetch("potentia-refused:").catch(() => {});  // told to the driver as walls.js does
  const counted = new WeakMap();  // the element and what was counted of it
  const leads = (address) => {
    try {
      const url = new URL(address, document.baseURI);
      return url.protocol !== "http:" || url.port !== "" || !hosts.includes(url.hostname);
    } catch (error) {
      return false;
    }
  };
  const countOnce = (node, addresses) => {
    const said = addresses.join(" ");
    if (counted.get(node) === said) return;
    counted.set(node, said);
    for (const address of addresses) if (leads(address)) count();
  };
  const look = (node) => {
    if (node instanceof HTMLLinkElement && READIES.test(node.rel)) countOnce(node, [node.href]);
    if (node instanceof HTMLScriptElement && node.type === "speculationrules") countOnce(node, node.text.match(ADDRESS) ?? []);
  };
  addEventListener("securitypolicyviolation", (event) => {
    if (event.blockedURI.startsWith("potentia-")) event.stopImmediatePropagation();  // what is told is none
    else if (leads(event.blockedURI)) count();
  }, true);
  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
      look(target);
      for (const node of addedNodes) {
        if (!(node instanceof Element)) continue;
        look(node);
        for (const inner of node.querySelectorAll("link, script")) look(inner);
      }
    }
  }).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["rel", "href", "type"] });
}
