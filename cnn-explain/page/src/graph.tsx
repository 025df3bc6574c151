/** A graph drawn in layers: blocks fold to one box, edges that pass a box by are skip connections. */

import { graphlib, layout } from "@dagrejs/dagre";
import { select } from "d3-selection";
import { zoom, zoomIdentity, zoomTransform, type ZoomBehavior } from "d3-zoom";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { family } from "./colours";
import { whenPrinted } from "./printing";
import { t } from "./strings";

export interface Item {
  name: string;
  op: string;
  word: string;
  sub: string;
  operands: number[];
  path: string[];
}

interface Box { id: string; x: number; y: number; width: number; height: number; item?: number; group?: string; members: number[] }
interface Drawn { boxes: Box[]; edges: { key: string; d: string; skip: boolean }[]; width: number; height: number; boxOf: Map<number, string> }

const WIDTH = 194;
const HEIGHT = 46;

/** The innermost box that stands for a layer: itself, or the outermost of its blocks that is folded. */
function shownAs(item: Item, index: number, folded: Set<string>): string {
  for (let depth = 1; depth <= item.path.length; depth++) {
    const group = item.path[depth - 1];
    if (folded.has(group)) return `g:${group}`;
  }
  return String(index);
}

export function draw(items: Item[], folded: Set<string>): Drawn {
  const graph = new graphlib.Graph({ multigraph: false });
  graph.setGraph({ rankdir: "TB", nodesep: 26, ranksep: 30, marginx: 12, marginy: 12 });
  graph.setDefaultEdgeLabel(() => ({}));
  const boxOf = new Map<number, string>();
  const members = new Map<string, number[]>();
  items.forEach((item, index) => {
    const id = shownAs(item, index, folded);
    boxOf.set(index, id);
    members.set(id, [...(members.get(id) ?? []), index]);
  });
  for (const id of members.keys()) graph.setNode(id, { width: WIDTH, height: HEIGHT });
  items.forEach((item, index) => {
    for (const operand of item.operands) {
      const [from, to] = [boxOf.get(operand)!, boxOf.get(index)!];
      if (from !== to) graph.setEdge(from, to);
    }
  });
  layout(graph);
  const boxes: Box[] = [...members].map(([id, inside]) => {
    const { x, y } = graph.node(id) as { x: number; y: number };
    const group = id.startsWith("g:") ? id.slice(2) : undefined;
    return { id, x, y, width: WIDTH, height: HEIGHT, item: group === undefined ? inside[0] : undefined, group, members: inside };
  });
  const edges = graph.edges().map((edge) => {
    const points = (graph.edge(edge) as { points: { x: number; y: number }[] }).points;
    // Long edges run past other boxes.
    return { key: `${edge.v} ${edge.w}`, d: curve(points), skip: points.length > 3 };
  });
  const { width = 100, height = 100 } = graph.graph() as { width?: number; height?: number };
  return { boxes, edges, width, height, boxOf };
}

/** A smooth line through points: straight to midpoints, around corners as quadratic curves. */
function curve(points: { x: number; y: number }[]): string {
  const [first, ...rest] = points;
  let d = `M${first.x},${first.y}`;
  for (let i = 0; i < rest.length - 1; i++) {
    const [a, b] = [rest[i], rest[i + 1]];
    d += `Q${a.x},${a.y} ${(a.x + b.x) / 2},${(a.y + b.y) / 2}`;
  }
  const last = rest.at(-1) ?? first;
  return `${d}L${last.x},${last.y}`;
}

/** Graphs of more layers begin with their blocks folded. */
const READABLE = 40;

/** A graph is not made smaller than this without being asked: its names have 10 pixels. */
const READABLE_SCALE = 0.78;

/** Which blocks of a graph are folded, and the buttons that fold them all. */
export function useFolding(items: Item[]) {
  const blocks = useMemo(() => groups(items), [items]);
  const [folded, setFolded] = useState<Set<string>>(() => (items.length > READABLE ? blocks : new Set()));
  const toggle = (group: string) => {
    const next = new Set(folded);
    if (!next.delete(group)) next.add(group);
    setFolded(next);
  };
  const buttons = blocks.size > 0 && (
    <>
      <button type="button" onClick={() => setFolded(new Set(blocks))}>{t("foldAll")}</button>
      <button type="button" onClick={() => setFolded(new Set())}>{t("unfoldAll")}</button>
    </>
  );
  return { folded, toggle, buttons };
}

interface Props {
  items: Item[];
  folded: Set<string>;
  toggle: (group: string) => void;
  selected: number;
  select: (item: number) => void;
  open?: (item: number) => void;
  /** Layers that a search found; `undefined` without a search. */
  found?: Set<number>;
  /** Layers that are lit; they are brought into view unless this graph is the one pointed at. */
  lit?: Set<number>;
  /** Layers that are drawn faint. */
  faint?: Set<number>;
  /** Told of the layers that are pointed at or have the keyboard's focus. */
  point?: (items: number[]) => void;
  label: string;
}

export function GraphView({ items, folded, toggle, selected, select: choose, open, found, lit, faint, point, label }: Props) {
  const svg = useRef<SVGSVGElement>(null);
  const stage = useRef<SVGGElement>(null);
  const behaviour = useRef<ZoomBehavior<SVGSVGElement, unknown> | null>(null);
  const drawn = useMemo(() => draw(items, folded), [items, folded]);
  useEffect(() => {
    const root = select(svg.current!);
    behaviour.current = zoom<SVGSVGElement, unknown>()
      .scaleExtent([0.05, 4])
      .on("zoom", (event) => stage.current?.setAttribute("transform", String(event.transform)));
    root.call(behaviour.current).on("dblclick.zoom", null);
    return () => void root.on(".zoom", null);
  }, []);
  const view = () => svg.current!.getBoundingClientRect();
  const fit = () => {
    const { width, height: whole } = view();
    // The buttons at the bottom hide nothing.
    const height = Math.max(whole - 48, 1);
    const scale = Math.min(width / drawn.width, height / drawn.height, 1.15);
    const transform = zoomIdentity.translate((width - drawn.width * scale) / 2, Math.max((height - drawn.height * scale) / 2, 0)).scale(scale);
    select(svg.current!).call(behaviour.current!.transform, transform);
  };
  const show = (box: Box, scale: number) => {
    const { width, height } = view();
    select(svg.current!).call(behaviour.current!.transform, zoomIdentity.translate(width / 2 - box.x * scale, height / 2 - box.y * scale).scale(scale));
  };
  const boxFor = (item: number) => drawn.boxes.find((box) => box.id === drawn.boxOf.get(item));
  // A graph that would be too small to read begins at its top instead of being fitted.
  useEffect(() => {
    const { width, height } = view();
    const scale = Math.min(width / drawn.width, height / drawn.height);
    if (scale >= READABLE_SCALE) return fit();
    const readable = Math.min(0.9, Math.max(READABLE_SCALE, width / drawn.width));
    select(svg.current!).call(behaviour.current!.transform, zoomIdentity.translate(Math.max((width - drawn.width * readable) / 2, width / 2 - drawn.boxes[0].x * readable), 8).scale(readable));
  }, [drawn]);
  useEffect(() => {
    const box = found?.size ? boxFor([...found][0]) : undefined;
    if (box) show(box, 1);
  }, [found]);
  const over = useRef(false);
  useEffect(() => {
    if (!lit?.size || over.current) return;
    const box = boxFor([...lit][0]);
    if (!box) return;
    const { x, y, k } = zoomTransform(svg.current!);
    const [{ width, height }, left, top] = [view(), x + k * (box.x - box.width / 2), y + k * (box.y - box.height / 2)];
    if (left < 0 || top < 0 || left + k * box.width > width || top + k * box.height > height) show(box, k);
  }, [lit]);
  // On paper the whole graph is shown, as large as the page allows.
  useEffect(() => whenPrinted(
    () => {
      svg.current?.setAttribute("viewBox", `0 0 ${drawn.width} ${drawn.height}`);
      svg.current?.style.setProperty("--drawn", `${drawn.width}px`);
      stage.current?.removeAttribute("transform");
    },
    () => {
      svg.current?.removeAttribute("viewBox");
      if (svg.current) stage.current?.setAttribute("transform", String(zoomTransform(svg.current)));
    },
  ), [drawn]);
  const zoomBy = (factor: number) => select(svg.current!).call(behaviour.current!.scaleBy, factor);
  return (
    <div class="graph" onPointerEnter={() => { over.current = true; }} onPointerLeave={() => { over.current = false; }}>
      <svg ref={svg} role="group" aria-label={label}>
        <defs>
          <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0,1L7,4L0,7" fill="none" stroke="var(--strong)" stroke-width="1.4" /></marker>
        </defs>
        <g ref={stage}>
          {drawn.edges.map((edge) => <path key={edge.key} class={edge.skip ? "edge skip" : "edge"} d={edge.d} marker-end="url(#arrow)" />)}
          {drawn.boxes.map((box) => {
            const chosen = box.members.includes(selected);
            const hit = found && box.members.some((member) => found.has(member));
            const shone = lit && box.members.some((member) => lit.has(member));
            const pale = (found && !hit) || (faint && box.members.every((member) => faint.has(member)));
            const item = box.item === undefined ? undefined : items[box.item];
            const title = item ? item.name : box.group!;
            const sub = item ? item.op : t("layersCount", { n: box.members.length });
            const [upper, lower] = [clip(title, 24), clip(item ? `${item.op}   ${item.sub}` : sub, 26)];
            const act = () => (item ? choose(box.item!) : toggle(box.group!));
            return (
              <g
                key={box.id}
                class={`node${item ? "" : " group"}${chosen ? " selected" : ""}${hit || shone ? " lit" : ""}${pale ? " faint" : ""}`}
                transform={`translate(${box.x - WIDTH / 2},${box.y - HEIGHT / 2})`}
                role="button"
                tabIndex={0}
                aria-pressed={item ? chosen : undefined}
                aria-expanded={item ? undefined : false}
                onClick={act}
                onDblClick={() => item && open?.(box.item!)}
                onKeyDown={(event) => {
                  if (event.key === "Enter" || event.key === " ") {
                    event.preventDefault();
                    if (item && chosen && event.key === "Enter") open?.(box.item!);
                    else act();
                  }
                }}
                onPointerEnter={() => point?.(box.members)}
                onFocus={(event) => {
                  if (!event.currentTarget.matches(":focus-visible")) return;
                  point?.(box.members);
                  show(box, 1);
                }}
              >
                <title>{item ? `${item.name}: ${item.op} → ${item.sub}` : title}</title>
                <rect class="box" width={WIDTH} height={HEIGHT} rx={7} />
                <rect width={5} height={HEIGHT - 14} x={7} y={7} rx={2.5} fill={item ? family(item.word) : "var(--join)"} />
                <text x={20} y={19}>{upper}</text>
                <text class="sub" x={20} y={35}>{lower}</text>
              </g>
            );
          })}
        </g>
      </svg>
      <div class="zoom">
        <button type="button" aria-label={t("zoomOut")} title={t("zoomOut")} onClick={() => zoomBy(1 / 1.35)}>−</button>
        <button type="button" aria-label={t("zoomIn")} title={t("zoomIn")} onClick={() => zoomBy(1.35)}>+</button>
        <button type="button" onClick={fit}>{t("fit")}</button>
      </div>
    </div>
  );
}

function clip(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** All blocks of some layers. */
function groups(items: Item[]): Set<string> {
  return new Set(items.flatMap((item) => item.path));
}
