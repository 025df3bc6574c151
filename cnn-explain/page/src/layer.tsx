/** A layer at work: its operands, its filter, its result, and the arithmetic of the cell that is pointed at. */

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { combined, explain, Missing, OWN, type Cell, type Term } from "./arithmetic/explain";
import { CellWork } from "./cell";
import { tint } from "./colours";
import type { Rescaled } from "./data";
import { Facts, SourceLines } from "./facts";
import { symbols } from "./functions";
import { NumberGrid } from "./grid";
import type { Network, NetworkLayer } from "./load";
import { Closeup, MapView, Strip, styleOf, type Frame, type Style } from "./map";
import { dims, exact, meaning, resolved, short } from "./numbers";
import { cellOf, setCell, useApp } from "./state";
import { t } from "./strings";
import { useTheme } from "./theme";

type Place = [number, number, number];

/** The cell's arithmetic, or that of the nearest cell whose numbers the page has. */
function nearest(network: Network, layer: NetworkLayer, at: Place): Cell | undefined {
  const attempt = (place: Place) => {
    try {
      return explain(network, layer, place);
    } catch (error) {
      if (error instanceof Missing) return undefined;
      throw error;
    }
  };
  const exact = attempt(at);
  if (exact || layer.value.whole) return exact;
  const { extent } = layer.value;
  const middle: Place = [0, Math.floor((extent[1] - 1) / 2), Math.floor((extent[2] - 1) / 2)];
  const clamped = layer.value.boxes().map((box) => at.map((n, i) => Math.min(Math.max(n, box.at[i]), box.at[i] + box.size[i] - 1)) as Place);
  const far = (place: Place) => place.reduce((sum, n, i) => sum + Math.abs(n - at[i]), 0);
  const places = [...clamped, middle, [0, 0, 0] as Place].sort((a, b) => far(a) - far(b));
  for (const place of places) {
    const cell = attempt(place);
    if (cell) return cell;
  }
  return undefined;
}

/** What the terms of a cell see of one channel of an operand, as frames over its picture. */
function frames(terms: Term[], operand: number, channel: number): Frame[] {
  const own = terms.filter((term) => term.operand === operand && term.at[0] === channel);
  if (!own.length) return [];
  const ys = own.map((term) => term.at[1]);
  const xs = own.map((term) => term.at[2]);
  const [y, x] = [Math.min(...ys), Math.min(...xs)];
  const box: Frame = { y, x, h: Math.max(...ys) - y + 1, w: Math.max(...xs) - x + 1, kind: "window" };
  // Windows with holes (dilated, transposed) show each tap.
  const taps: Frame[] = own.length < box.h * box.w && own.length < 130 ? own.map((term) => ({ y: term.at[1], x: term.at[2], h: 1, w: 1, kind: "tap" })) : [];
  const won: Frame[] = own.filter((term) => term.won).map((term) => ({ y: term.at[1], x: term.at[2], h: 1, w: 1, kind: "won" }));
  return [box, ...taps, ...won];
}

function outside(layer: NetworkLayer): [number, number, number, number] | undefined {
  const { arithmetic } = layer;
  if (arithmetic.kind === "conv" && !arithmetic.transposed) return arithmetic.window.sides;
  return arithmetic.kind === "pool" ? arithmetic.window.sides : undefined;
}

export function LayerView() {
  const { network, state, go } = useApp();
  const layer = network.layers[state.layer];
  const move = (by: number) => go({ layer: Math.min(Math.max(state.layer + by, 0), network.layers.length - 1) });
  return (
    <div>
      <div class="lhead">
        <div class="bar" style={{ marginBottom: 0 }}>
          <button type="button" onClick={() => move(-1)} disabled={state.layer === 0} aria-label={t("previous")} title={t("previous")}>←</button>
          <select aria-label={t("layer")} value={state.layer} onChange={(event) => go({ layer: Number(event.currentTarget.value) })}>
            {network.layers.map((one) => <option value={one.index}>{one.name}</option>)}
          </select>
          <button type="button" onClick={() => move(1)} disabled={state.layer === network.layers.length - 1} aria-label={t("next")} title={t("next")}>→</button>
        </div>
        <h2>{layer.name}</h2>
        <span class="op">{layer.op}</span>
        <span class="num">{layer.operands.map((index) => dims(network.layers[index].shape)).join(", ")}{layer.operands.length > 0 && " → "}<b>{dims(layer.shape)}</b></span>
      </div>
      <Formula layer={layer} />
      <LayerStage key={layer.index} network={network} layer={layer} />
      <div class="work">
        <div class="panel"><Facts network={network} layer={layer} go={(index) => go({ layer: index })} /></div>
        <div class="panel"><h3>{t("source")}</h3><SourceLines network={network} layer={layer} /></div>
      </div>
    </div>
  );
}

/** The layer's formula with its numbers. */
function Formula({ layer }: { layer: NetworkLayer }) {
  const { arithmetic } = layer;
  const activation = "activation" in arithmetic && arithmetic.activation && !("integers" in arithmetic && arithmetic.integers) ? symbols(arithmetic.activation, "·").replaceAll("·", "Σ") : "";
  const bias = layer.weights.some((one) => one.role === "bias") ? "b + " : "";
  const summed = (integers: Rescaled | null, count: string) => {
    if (!integers) return `y = ${bias}Σ x·w  (${count})`;
    const { from, to, bounds } = integers;
    const x = from.zero_point ? `(q − ${from.zero_point})` : "q";
    return `y = round((${bias}Σ ${x}·w)·${exact(from.scale)}·s_w / ${exact(to.scale)})${to.zero_point ? ` + ${to.zero_point}` : ""}, ${bounds.join(" … ")}  (${count})`;
  };
  const rule = (() => {
    switch (arithmetic.kind) {
      case "conv": {
        const [h, w] = arithmetic.window.size;
        const channels = arithmetic.transposed ? "" : ` × ${layer.weights[0]?.shape[1] ?? 1}`;
        return summed(arithmetic.integers, `${h} × ${w}${channels}`);
      }
      case "dense": return summed(arithmetic.integers, `${layer.weights[0]?.shape[1]}`);
      case "quantize": return `y = round(x / ${exact(arithmetic.to.scale)})${arithmetic.to.zero_point ? ` + ${arithmetic.to.zero_point}` : ""}, 0 … 255`;
      case "dequantize": return `y = ${meaning(arithmetic.from)}`;
      case "quantized_add": return `y = round((${meaning(arithmetic.from[0]).replace("q", "a")} + ${meaning(arithmetic.from[1]).replace("q", "b")}) / ${exact(arithmetic.to.scale)})${arithmetic.to.zero_point ? ` + ${arithmetic.to.zero_point}` : ""}, ${arithmetic.bounds.join(" … ")}`;
      case "pool": return `y = ${arithmetic.of} (${arithmetic.window.size.join(" × ")})`;
      case "recurrent": return arithmetic.cell === "lstm" ? "c′ = f·c + i·g, h′ = o·tanh(c′)" : "h′ = (1 − z)·n + z·h";
      case "global_pool": return `y = ${arithmetic.of === "max" ? "max(x)" : "Σ x / n"}`;
      case "adaptive_pool": return "y = Σ x / n";
      case "combine": return `y = ${combined(arithmetic.of, layer.operands.length)}`;
      case "arg_extreme": return `y = arg ${arithmetic.of}(x)`;
      case "top_k": return `y = ${arithmetic.indices ? "i: " : ""}${arithmetic.largest ? "max" : "min"} [0], [1], …`;
      case "cumsum": return `y = Σ x (${arithmetic.reverse ? (arithmetic.exclusive ? "j > i" : "j ≥ i") : arithmetic.exclusive ? "j < i" : "j ≤ i"})`;
      case "gather_along": return "y = a[b]";
      case "matmul": return "y = Σ a·b";
      case "prelu": return "y = x > 0 ? x : a·x";
      case "softmax": return arithmetic.log ? "y = x − ln Σ e^x" : "y = e^x / Σ e^x";
      case "batch_norm": return `y = γ·(x − μ) / √(σ² + ${arithmetic.epsilon}) + β`;
      case "lrn": return `y = x / (${short(arithmetic.k)} + ${short(arithmetic.alpha)}/${arithmetic.size}·Σ x²)^${short(arithmetic.beta)}`;
      case "reduce": return `y = ${({ mean: "mean", sum: "Σ x", max: "max", min: "min", prod: "Π x", sum_square: "Σ x²" })[arithmetic.of]} (${["C", "H", "W"].filter((_, axis) => arithmetic.axes[axis]).join(", ")})`;
      case "parts": return arithmetic.parts.filter((part) => part.weight === null).map((part) => part.op).join(" → ");
      case "function": return `y = ${symbols(arithmetic.function)}`;
      default: return "";
    }
  })();
  const parts = [rule, activation && `σ(Σ) = ${activation}`, layer.formula && `${t("formula")}: ${layer.formula}`, layer.product && `${t("multiplications")}: ${resolved(layer.product)}`];
  return <p class="formula">{parts.filter(Boolean).map((part) => <code>{part}</code>)}</p>;
}

/** Operands, filter and result of a layer, and the work on one cell: the part that the course uses too. */
export function LayerStage({ network, layer, compact = false }: { network: Network; layer: NetworkLayer; compact?: boolean }) {
  const theme = useTheme();
  const [at, setAt] = useState<Place>(cellOf(layer));
  const [input, setInput] = useState<number | undefined>();
  const [playing, setPlaying] = useState(false);
  const cell = useMemo(() => nearest(network, layer, at), [network, layer, at]);
  const [channels, rows, columns] = layer.value.extent;
  const place = cell?.at ?? at;
  const moveTo = useCallback((to: Place) => {
    setCell(layer, to);
    setAt(to);
  }, [layer]);
  const steps = rows * columns;
  const flat = steps === 1;
  const advance = useCallback((by: number) => {
    setAt((now) => {
      const next: Place = flat
        ? [(now[0] + by + channels) % channels, 0, 0]
        : (() => {
            const n = (now[1] * columns + now[2] + by + steps) % steps;
            return [now[0], Math.floor(n / columns), n % columns];
          })();
      setCell(layer, next);
      return next;
    });
  }, [layer, steps, columns, flat, channels]);
  useEffect(() => {
    if (!playing) return undefined;
    const timer = setInterval(() => advance(1), 450);
    return () => clearInterval(timer);
  }, [playing, advance]);

  // The channel of each operand that is shown: the reader's, if the cell uses it, else the first that the cell uses.
  const shown = (operand: number): number => {
    const used = cell?.terms.filter((term) => term.operand === operand) ?? [];
    if (operand === 0 && input !== undefined && (!used.length || used.some((term) => term.at[0] === input))) return input;
    if (operand >= layer.operands.length) return 0;
    const winner = used.find((term) => term.won) ?? used[0];
    return winner ? winner.at[0] : Math.min(place[0], network.layers[layer.operands[operand]].value.extent[0] - 1);
  };
  const keys = (event: KeyboardEvent) => {
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (event.key === "PageUp" || event.key === "PageDown") {
      moveTo([Math.min(Math.max(place[0] + (event.key === "PageDown" ? 1 : -1), 0), channels - 1), place[1], place[2]]);
    } else if (by) {
      moveTo([place[0], Math.min(Math.max(place[1] + by[0], 0), rows - 1), Math.min(Math.max(place[2] + by[1], 0), columns - 1)]);
    } else return;
    event.preventDefault();
  };
  /** How far the window jumps on the input from one cell of the result to the next. */
  const stride = !flat && "window" in layer.arithmetic && !("transposed" in layer.arithmetic && layer.arithmetic.transposed) ? layer.arithmetic.window.stride : undefined;
  const size = compact ? 290 : 320;
  const boxes: Frame[] = layer.value.whole ? [] : layer.value.boxes().filter((box) => place[0] >= box.at[0] && place[0] < box.at[0] + box.size[0]).map((box) => ({ y: box.at[1], x: box.at[2], h: box.size[1], w: box.size[2], kind: "kept" }));
  const outputStyle = styleOf(layer.word, layer.value);
  const operandShown = layer.operands.slice(0, 6);
  return (
    <div>
      <div class="stage">
        {operandShown.map((index, operand) => {
          const from = network.layers[index];
          const channel = shown(operand);
          const style = from.value.extent[0] === 3 && operand === 0 && input === undefined && layer.arithmetic.kind === "input" ? styleOf(from.word, from.value) : styleOf(from.word, from.value) === "rgb" ? "grey" : styleOf(from.word, from.value);
          return (
            <section>
              <h3>{from.value.extent[1] * from.value.extent[2] === 1 ? `${from.name}: ${t("vectorOf", { n: from.value.extent[0] })}` : t("inputMap", { name: from.name, c: channel })}</h3>
              {from.value.extent[1] * from.value.extent[2] === 1 ? (
                <VectorView value={from} lit={new Set(cell?.terms.filter((term) => term.operand === operand).map((term) => term.at[0]))} theme={theme} />
              ) : (
                <>
                  <MapView value={from.value} channel={channel} style={style} sides={operand === 0 ? outside(layer) : undefined} frames={frames(cell?.terms ?? [], operand, channel)} size={size} label={t("inputMap", { name: from.name, c: channel })} theme={theme} />
                  <Near value={from.value} channel={channel} style={style} frames={frames(cell?.terms ?? [], operand, channel)} theme={theme} />
                  <Strip value={from.value} style={style} chosen={channel} choose={setInput} label={(c) => t("inputMap", { name: from.name, c })} theme={theme} />
                </>
              )}
            </section>
          );
        })}
        {layer.operands.length > operandShown.length && <p class="soft">{t("others", { n: layer.operands.length - operandShown.length })}</p>}
        {layer.arithmetic.kind === "conv" && cell && <FilterView layer={layer} cell={cell} channel={shown(0)} />}
        {layer.operands.length > 0 && <div class="operator" aria-hidden="true">→</div>}
        <section>
          <h3>{flat ? `${layer.name}: ${t("vectorOf", { n: channels })}` : t("outputMap", { c: place[0] })}</h3>
          {flat ? (
            <VectorView value={layer} lit={new Set([place[0]])} pick={(c) => moveTo([c, 0, 0])} theme={theme} />
          ) : (
            <>
              <MapView
                value={layer.value}
                channel={outputStyle === "rgb" ? 0 : place[0]}
                style={outputStyle}
                frames={[...boxes, ...frames(cell?.terms ?? [], OWN, place[0]), { y: place[1], x: place[2], h: 1, w: 1, kind: "cell" }]}
                size={size}
                label={`${t("outputMap", { c: place[0] })}. ${t("pointHint")}`}
                pick={(y, x) => moveTo([place[0], y, x])}
                keys={keys}
                theme={theme}
              />
              {boxes.length > 0 && <Near value={layer.value} channel={place[0]} style={outputStyle} frames={[{ y: place[1], x: place[2], h: 1, w: 1, kind: "cell" }]} around={boxes.find((box) => inside(box, place))} pick={(y, x) => moveTo([place[0], y, x])} theme={theme} />}
              <Strip value={layer.value} style={outputStyle} chosen={place[0]} choose={(c) => moveTo([c, place[1], place[2]])} label={(c) => t("outputMap", { c })} theme={theme} />
            </>
          )}
        </section>
      </div>
      <div class="bar" style={{ marginTop: ".8rem" }}>
        <button type="button" onClick={() => advance(-1)}>{t("stepBack")}</button>
        <button type="button" onClick={() => advance(1)}>{t("step")}</button>
        {stride && (
          <>
            <button type="button" onClick={() => moveTo([place[0], place[1], (place[2] + 1) % columns])}>{t("jumpRight", { s: stride[1] })}</button>
            <button type="button" onClick={() => moveTo([place[0], (place[1] + 1) % rows, place[2]])}>{t("jumpDown", { s: stride[0] })}</button>
          </>
        )}
        <button type="button" aria-pressed={playing} onClick={() => setPlaying(!playing)}>{playing ? t("pause") : t("play")}</button>
        <span class="soft small">{t("pointHint")}</span>
      </div>
      {cell ? <CellWork network={network} layer={layer} cell={cell} channel={shown(0)} choose={setInput} /> : <p class="panel">{t("missingAll")}</p>}
    </div>
  );
}

const inside = (box: Frame, [, y, x]: Place) => y >= box.y && x >= box.x && y < box.y + box.h && x < box.x + box.w;

/** A close-up of what the frames are about, where the whole picture is reduced. */
function Near({ value, channel, style, frames, around, pick, theme }: { value: NetworkLayer["value"]; channel: number; style: Style; frames: Frame[]; around?: Frame; pick?: (y: number, x: number) => void; theme: string }) {
  const about = around ?? frames[0];
  if (value.whole || !about || about.h * about.w < 2 || about.h > 40 || about.w > 40) return null;
  return (
    <>
      <p class="small soft" style={{ margin: ".5rem 0 0" }}>{t("closeUp")}</p>
      <Closeup value={value} channel={channel} style={style} region={about} frames={frames.filter((frame) => frame.kind !== "window")} size={180} label={t("closeUp")} pick={pick} theme={theme} />
    </>
  );
}

/** A filter's weights for one channel. */
function FilterView({ layer, cell, channel }: { layer: NetworkLayer; cell: Cell; channel: number }) {
  const own = cell.terms.filter((term) => term.at[0] === channel && term.tap);
  if (layer.arithmetic.kind !== "conv" || !own.length) return null;
  const [height, width] = layer.arithmetic.window.size;
  const scale = Math.max(...cell.terms.map((term) => Math.abs(term.weight ?? 0)));
  const byTap = new Map(own.map((term) => [term.tap!.join(), term.weight!]));
  return (
    <section>
      <h3>{t("filterOf", { f: cell.at[0], c: channel })}</h3>
      <NumberGrid
        label={t("filterOf", { f: cell.at[0], c: channel })}
        width={width}
        tight={width > 5}
        cells={Array.from({ length: height * width }, (_, i) => {
          const weight = byTap.get(`${Math.floor(i / width)},${i % width}`);
          return weight === undefined ? { text: "·" } : { text: short(weight, width > 7 ? 1 : 2), title: exact(weight), style: tint(weight, scale) };
        })}
      />
    </section>
  );
}

/** A vector as cells: to choose one by pointer or arrow keys, or only to look at. */
function VectorView({ value: layer, lit, pick, theme }: { value: NetworkLayer; lit: Set<number>; pick?: (channel: number) => void; theme: string }) {
  const box = useRef<HTMLDivElement>(null);
  const { value } = layer;
  const all = value.extent[0];
  const most = Math.min(all, 1024);
  const cells = useMemo(() => Array.from({ length: most }, (_, c) => value.at(c, 0, 0)), [value, most]);
  const colour = (x: number | undefined) => ({ background: x === undefined ? "var(--sunk)" : tint(x - value.zero, value.reach).background });
  const more = all > most && <span class="soft small">… {t("others", { n: all - most })}</span>;
  if (!pick) {
    const marked = lit.size < all ? lit : new Set();
    return (
      <div class="vector" role="img" aria-label={`${layer.name}: ${t("vectorOf", { n: all })}`} data-theme-used={theme}>
        {cells.map((x, c) => <span class={marked.has(c) ? "lit" : ""} title={`${c}: ${short(x, 5)}`} style={colour(x)} />)}
        {more}
      </div>
    );
  }
  const [chosen] = lit;
  const walk = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    const next = event.key === "Home" ? 0 : event.key === "End" ? most - 1 : by === undefined ? undefined : Math.min(Math.max((chosen ?? 0) + by, 0), most - 1);
    if (next === undefined) return;
    event.preventDefault();
    pick(next);
    (box.current?.children[next] as HTMLElement | undefined)?.focus();
  };
  return (
    <div class="vector" ref={box} role="group" aria-label={t("vectorKeys", { name: layer.name, n: all })} onKeyDown={walk} data-theme-used={theme}>
      {cells.map((x, c) => (
        <button type="button" tabIndex={c === (chosen ?? 0) ? 0 : -1} aria-pressed={c === chosen} class={c === chosen ? "lit" : ""} title={`${c}: ${short(x, 5)}`} aria-label={`${t("valueTitle", { c })}: ${short(x, 4)}`} style={colour(x)} onClick={() => pick(c)} onPointerEnter={() => pick(c)} />
      ))}
      {more}
    </div>
  );
}
