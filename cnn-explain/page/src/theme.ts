/** Light, dark, or what the system says. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";

export type Theme = "auto" | "light" | "dark";

const system = () => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

/** Sets the page's colours and tells which they are. */
export function applyTheme(theme: Theme): "light" | "dark" {
  const used = theme === "auto" ? system() : theme;
  document.documentElement.dataset.theme = used;
  return used;
}

export const ThemeContext = createContext<string>("light");

/** The colours in use: what draws into a canvas draws again when they change. */
export const useTheme = () => useContext(ThemeContext);
