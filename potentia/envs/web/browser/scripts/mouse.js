// What is under the mouse. Chromium tells a page so with each frame, that is at any time by the page's own clock. Here
// the page is told when the mouse moves and whenever it is read.
() => {
  const follow = (prefix, Kind) => {
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
      addEventListener(prefix + type, (event) => event.isTrusted && event.stopImmediatePropagation(), true);
    }
    addEventListener(prefix + "move", (event) => {
      if (!event.isTrusted) return;
      const toX = Math.floor(event.clientX), toY = Math.floor(event.clientY);
      if (toX === x && toY === y) event.stopImmediatePropagation();
      else {
        x = toX, y = toY, moved = true;
        enter(event.target, event);
      }
    }, true);
    return () => moved && enter(document.elementFromPoint(x, y), { clientX: x, clientY: y });
  };
  const hovers = [follow("pointer", PointerEvent), follow("mouse", MouseEvent)];
  return { hover: () => { for (const hover of hovers) hover(); } };
}
