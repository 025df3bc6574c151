/** All channels of all layers as pictures, filters, the receptive field of a cell, and the classes. */

import { useMemo, useState } from "preact/hooks";
import type { Network, NetworkLayer } from "./load";
import { MapView, styleOf, Thumb } from "./map";
import { exact, short } from "./numbers";
import { cellOf, useApp } from "./state";
import { t } from "./strings";
import { useTheme } from "./theme";
import { tint } from "./colours";
import { Value } from "./load";

interface Field { layer: number; y: [number, number]; x: [number, number] }

/** The rows and columns of each input that a cell depends on, walked back through windows. */
export function receptiveField(network: Network, layer: NetworkLayer, at: [number, number, number]): Field[] {
  const ranges = new Map<number, { y: [number, number]; x: [number, number] }>();
  ranges.set(layer.index, { y: [at[1], at[1]], x: [at[2], at[2]] });
  for (let index = layer.index; index >= 0; index--) {
    const range = ranges.get(index);
    if (!range) continue;
    const one = network.layers[index];
    for (const operand of one.operands) {
      const from = network.layers[operand].value.extent;
      const seen = see(one, range, from);
      const known = ranges.get(operand);
      ranges.set(operand, known ? { y: join(known.y, seen.y), x: join(known.x, seen.x) } : seen);
    }
  }
  return network.layers.filter((one) => one.arithmetic.kind === "input" && ranges.has(one.index)).map((one) => ({ layer: one.index, ...ranges.get(one.index)! }));
}

const join = (a: [number, number], b: [number, number]): [number, number] => [Math.min(a[0], b[0]), Math.max(a[1], b[1])];

function see(layer: NetworkLayer, range: { y: [number, number]; x: [number, number] }, from: [number, number, number]): { y: [number, number]; x: [number, number] } {
  const { arithmetic } = layer;
  const all = { y: [0, from[1] - 1] as [number, number], x: [0, from[2] - 1] as [number, number] };
  const axis = (i: 0 | 1, [first, last]: [number, number]): [number, number] => {
    if (arithmetic.kind === "conv" || arithmetic.kind === "pool") {
      const { size, stride, dilation, sides } = arithmetic.window;
      if (arithmetic.kind === "conv" && arithmetic.transposed) {
        const reach = dilation[i] * (size[i] - 1);
        return [Math.ceil((first + sides[i] - reach) / stride[i]), Math.floor((last + sides[i]) / stride[i])];
      }
      return [first * stride[i] - sides[i], last * stride[i] - sides[i] + dilation[i] * (size[i] - 1)];
    }
    if (arithmetic.kind === "pad") return [first - arithmetic.sides[i], last - arithmetic.sides[i]];
    if (arithmetic.kind === "blend") {
      const taps = i === 0 ? arithmetic.rows : arithmetic.columns;
      return [taps[Math.max(first, 0)][0], taps[Math.min(last, taps.length - 1)][1]];
    }
    return [first, last];
  };
  switch (arithmetic.kind) {
    case "conv": case "pool": case "pad": case "blend":
      return { y: axis(0, range.y), x: axis(1, range.x) };
    case "function": case "prelu": case "batch_norm": case "quantize": case "dequantize": case "quantized_add": case "lrn": case "concat": case "shuffle":
      return range;
    case "softmax":
      return arithmetic.axis === 0 ? range : all;
    case "combine":
      return { y: from[1] === 1 ? [0, 0] : range.y, x: from[2] === 1 ? [0, 0] : range.x };
    case "same":
      return from.join() === layer.value.extent.join() ? range : all;
    case "recurrent": {
      // The steps before, and after, as far as a direction comes from there.
      const directions = new Set(range.x.map((column) => arithmetic.directions[Math.floor(column / arithmetic.units)]));
      return { y: [directions.has(true) && !directions.has(false) ? range.y[0] : 0, directions.has(true) ? from[1] - 1 : range.y[1]], x: all.x };
    }
    default:
      return all;
  }
}

export function MapsView() {
  const { network, state, go } = useApp();
  const theme = useTheme();
  const [own, setOwn] = useState(true);
  const [filters, setFilters] = useState(false);
  return (
    <div class="split">
      <div>
        <div class="bar">
          <button type="button" aria-pressed={own} onClick={() => setOwn(true)}>{t("ownScale")}</button>
          <button type="button" aria-pressed={!own} onClick={() => setOwn(false)}>{t("oneScale")}</button>
          <button type="button" aria-pressed={filters} onClick={() => setFilters(!filters)}>{t("showFilters")}</button>
        </div>
        <div class="gallery">
          {network.layers.map((layer) => <Row layer={layer} own={own} filters={filters} theme={theme} chosen={layer.index === state.layer} open={() => go({ view: "layer", layer: layer.index })} pick={() => go({ layer: layer.index })} />)}
        </div>
      </div>
      <aside class="side">
        <Receptive network={network} layer={network.layers[state.layer]} theme={theme} />
        <Classes network={network} />
      </aside>
    </div>
  );
}

function Row({ layer, own, filters, theme, chosen, open, pick }: { layer: NetworkLayer; own: boolean; filters: boolean; theme: string; chosen: boolean; open: () => void; pick: () => void }) {
  const { value } = layer;
  const [channels, rows, columns] = value.extent;
  const style = styleOf(layer.word, value);
  const range = own ? undefined : value.range;
  const most = style === "rgb" ? 1 : Math.min(value.pictures, 64);
  const size = rows * columns === 1 ? 0 : Math.max(36, Math.min(84, Math.max(rows, columns) * 3));
  const scale = value.channel(0)?.scale ?? 1;
  const weight = layer.weights.find((one) => one.role === "weight" && one.shape.length === 4);
  return (
    <section>
      <h3>
        <a href={`#view=layer&layer=${encodeURIComponent(layer.name)}`} onClick={(event) => { event.preventDefault(); open(); }}>{layer.name}</a>
        <span>{layer.op}</span>
        <span class="num">{layer.shape.join(" × ")}</span>
        <span class="num">{t("least")} {short(value.range[0])}, {t("most")} {short(value.range[1])}</span>
        {most < channels && style !== "rgb" && size > 0 && <span>{t("shownOf", { n: most, all: channels })}{scale > 1 && `, ${t("reducedBy", { n: scale })}`}</span>}
      </h3>
      {size > 0 ? (
        <div class="maps" style={chosen ? { outline: "2px solid var(--accent)", outlineOffset: "4px" } : {}} onClick={pick}>
          {Array.from({ length: most }, (_, channel) => <Thumb value={value} channel={channel} style={style} range={range} size={size} theme={theme} />)}
        </div>
      ) : (
        <Vector value={value} theme={theme} />
      )}
      {filters && weight && <Filters value={weight.value} shape={weight.shape} theme={theme} />}
    </section>
  );
}

function Vector({ value, theme }: { value: Value; theme: string }) {
  const most = Math.min(value.extent[0], 512);
  const cells = useMemo(() => Array.from({ length: most }, (_, c) => value.at(c, 0, 0)), [value]);
  return (
    <div class="vector" style={{ maxWidth: "none", marginTop: ".4rem" }} data-theme-used={theme} role="img" aria-label={t("vectorOf", { n: value.extent[0] })}>
      {cells.map((x, c) => <span title={`${c}: ${short(x, 5)}`} style={{ width: "12px", height: "12px", background: x === undefined ? "var(--sunk)" : tint(x - value.zero, value.reach).background }} />)}
    </div>
  );
}

/** The filters that the page has, each channel of each as a small picture. */
function Filters({ value, shape, theme }: { value: Value; shape: number[]; theme: string }) {
  const planes = useMemo(() => {
    const pictures: { key: string; numbers: number[] }[] = [];
    const { size } = value.boxes()[0] ?? { size: [0, 0, 0] };
    for (let f = 0; f < Math.min(size[0], 32); f++) {
      for (let c = 0; c < Math.min(size[1], 3); c++) {
        pictures.push({ key: `${f}.${c}`, numbers: Array.from({ length: size[2] }, (_, i) => value.at(f, c, i) ?? 0) });
      }
    }
    return pictures;
  }, [value]);
  const scale = Math.max(Math.abs(value.range[0]), Math.abs(value.range[1]));
  if (shape[2] * shape[3] === 1) return null;
  return (
    <div class="maps" role="img" aria-label={t("filters")} data-theme-used={theme}>
      <span class="soft small">{t("filters")}</span>
      {planes.map(({ key, numbers }) => (
        <svg viewBox={`0 0 ${shape[3]} ${shape[2]}`} width={34} height={(34 * shape[2]) / shape[3]} style={{ border: "1px solid var(--line)" }}>
          <title>{key}</title>
          {numbers.map((x, i) => <rect x={i % shape[3]} y={Math.floor(i / shape[3])} width={1.02} height={1.02} fill={tint(x, scale).background} />)}
        </svg>
      ))}
    </div>
  );
}

function Receptive({ network, layer, theme }: { network: Network; layer: NetworkLayer; theme: string }) {
  const cell = cellOf(layer);
  const fields = useMemo(() => receptiveField(network, layer, cell), [network, layer, cell.join()]);
  return (
    <section class="panel">
      <h3>{t("receptive")}</h3>
      {fields.map((field) => {
        const input = network.layers[field.layer];
        const [, rows, columns] = input.value.extent;
        const [h, w] = [field.y[1] - field.y[0] + 1, field.x[1] - field.x[0] + 1];
        const out = field.y[0] < 0 || field.x[0] < 0 || field.y[1] >= rows || field.x[1] >= columns;
        const sides: [number, number, number, number] = out
          ? [Math.max(-field.y[0], 0), Math.max(-field.x[0], 0), Math.max(field.y[1] - rows + 1, 0), Math.max(field.x[1] - columns + 1, 0)].map((side) => Math.min(side, rows)) as [number, number, number, number]
          : [0, 0, 0, 0];
        return (
          <>
            <p class="small">{t("receptiveText", { name: layer.name, y: cell[1], x: cell[2], h, w, pad: out ? t("receptivePad") : "" })}</p>
            {rows * columns > 1 && <MapView value={input.value} channel={0} style={styleOf(input.word, input.value)} sides={sides} frames={[{ y: field.y[0], x: field.x[0], h, w, kind: "window" }]} size={290} label={t("receptive")} theme={theme} />}
          </>
        );
      })}
    </section>
  );
}

/** The likeliest classes of each output that is a vector of probabilities or scores. */
export function Classes({ network, answers, most = 10 }: { network: Network; answers?: number[][]; most?: number }) {
  return (
    <>
      {network.outputs.map((output, index) => {
        const { value, word } = network.layers[output.layer];
        const numbers = answers?.[index] ?? value.all();
        if (!numbers || value.extent[1] * value.extent[2] !== 1 || value.extent[0] < 2) return null;
        const chances = word === "softmax";
        const best = Array.from(numbers.keys()).sort((a, b) => numbers[b] - numbers[a]).slice(0, most);
        const scale = chances ? 1 : Math.max(...best.map((c) => Math.abs(numbers[c])));
        return (
          <section class="panel">
            <h3>{t("probabilities")}: {output.name}</h3>
            <div class="bars">
              {best.map((c, i) => (
                <>
                  <span class={i ? "l" : "l on"}>{network.labels[c] ?? c}</span>
                  <span class="v" title={exact(numbers[c])}>{chances ? `${(100 * numbers[c]).toFixed(2)} %` : short(numbers[c], 4)}</span>
                  <span class="track one" aria-hidden="true"><i class={numbers[c] < 0 ? "neg" : "pos"} style={{ left: 0, width: `${(100 * Math.abs(numbers[c])) / scale}%` }} /></span>
                </>
              ))}
            </div>
          </section>
        );
      })}
    </>
  );
}
