/** What the reader looks at, mirrored in the address so that a view can be linked to. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Network, NetworkLayer } from "./load";

export type View = "network" | "layer" | "maps" | "table" | "compiler" | "course" | "desk";
export const VIEWS: View[] = ["network", "layer", "maps", "table", "compiler", "course"];

export interface State {
  view: View;
  /** The chosen layer. */
  layer: number;
  /** A part of the view: the compiler's, the course's. */
  part: string;
}

export interface App {
  network: Network;
  state: State;
  go: (change: Partial<State>) => void;
}

export const AppContext = createContext<App>(null as unknown as App);
export const useApp = () => useContext(AppContext);

/** The cell that was pointed at last, for each layer of each network: it survives a change of view. */
const cells = new WeakMap<NetworkLayer, [number, number, number]>();

export function cellOf(layer: NetworkLayer): [number, number, number] {
  const known = cells.get(layer);
  if (known) return known;
  const [, rows, columns] = layer.value.extent;
  return [0, Math.floor((rows - 1) / 2), Math.floor((columns - 1) / 2)];
}

export function setCell(layer: NetworkLayer, cell: [number, number, number]) {
  cells.set(layer, cell);
}

/** The layer a network is opened with: the first that multiplies. */
export function firstLayer(network: Network): number {
  const first = network.layers.findIndex((layer) => layer.multiplications > 0);
  return Math.max(first, 0);
}

export function readState(network: Network): State {
  const words = new URLSearchParams(location.hash.slice(1));
  const view = (words.get("view") ?? "network") as View;
  return {
    view: VIEWS.includes(view) || view === "desk" ? view : "network",
    layer: network.byName.get(words.get("layer") ?? "") ?? firstLayer(network),
    part: words.get("part") ?? "",
  };
}

export function writeState(network: Network, state: State) {
  const words = new URLSearchParams({ view: state.view, layer: network.layers[state.layer].name });
  if (state.part) words.set("part", state.part);
  return `#${words}`;
}
