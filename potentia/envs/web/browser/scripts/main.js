// Puts an episode's chance and time, and the walls, into a page before any script of the page.
// `probe` is what the task asks of the page, or null.
(clock, walls, probe) => {
  if (window.__potentia) return;  // a window goes on from the empty document of a frame to its first page
  const { leave } = walls(probe);
  const { begin } = clock(window);
  Object.defineProperty(window, "__potentia", { value: Object.freeze({ begin, leave }) });
}
