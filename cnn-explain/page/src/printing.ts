/** The page on paper: what the style sheet alone cannot do. */

import { options } from "preact";

/** Calls `draw` when the page is about to be printed, and `restore` afterwards; gives what ends that. */
export function whenPrinted(draw: () => void, restore: () => void): () => void {
  const before = () => {
    // The browser takes the page as it is when this returns: nothing may be rendered later.
    const later = options.debounceRendering;
    options.debounceRendering = (render) => render();
    draw();
    options.debounceRendering = later;
  };
  window.addEventListener("beforeprint", before);
  window.addEventListener("afterprint", restore);
  return () => {
    window.removeEventListener("beforeprint", before);
    window.removeEventListener("afterprint", restore);
  };
}
