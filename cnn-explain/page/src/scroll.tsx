/** A part of the page that scrolls by itself: with a name, and within the keyboard's reach. */

import type { ComponentChildren } from "preact";

interface Props {
  label: string;
  class?: string;
  style?: Record<string, string>;
  children: ComponentChildren;
}

export function Scroll({ label, class: name = "scroll", style, children }: Props) {
  return <div class={name} style={style} role="region" aria-label={label} tabIndex={0}>{children}</div>;
}
