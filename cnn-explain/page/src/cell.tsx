/** The work on one cell, written out: products, sums, what is done with them, and the engine's number beside the result. */

import type { Cell, Term } from "./arithmetic";
import { tint } from "./colours";
import type { Network, NetworkLayer } from "./load";
import { exact, short } from "./numbers";
import { t } from "./strings";

/** Channels and contributions that are listed one by one. */
const LISTED = 16;

interface Props {
  network: Network;
  layer: NetworkLayer;
  cell: Cell;
  /** The channel of the first operand whose products are shown. */
  channel: number;
  choose: (channel: number) => void;
}

export function CellWork({ network, layer, cell, channel, choose }: Props) {
  const [c, y, x] = cell.at;
  const flat = layer.value.extent[1] * layer.value.extent[2] === 1;
  return (
    <div class="work" aria-live="off">
      <section class="panel">
        <h3>{flat ? t("valueTitle", { c }) : t("cellTitle", { c, y, x })}</h3>
        <Detail network={network} layer={layer} cell={cell} channel={channel} choose={choose} />
      </section>
      <section class="panel">
        <h3>{t("result")}</h3>
        <table class="lines">
          <tbody>
            {cell.lines.map((line, i) => (
              <tr class={i === cell.lines.length - 1 ? "last" : ""}>
                <td>{t(line.what)}</td>
                <td class="sym">{line.text}</td>
                <td data-line={line.what}>{exact(line.value)}</td>
              </tr>
            ))}
            <tr>
              <td colSpan={2}>{t("engine")}</td>
              <td data-engine>{exact(cell.engine)}</td>
            </tr>
          </tbody>
        </table>
        {cell.lines.length > 0 && (
          <p class={cell.same ? "check" : "check bad"} data-same={cell.same}>
            {cell.same ? `✓ ${t("same")}` : `✗ ${t("different", { x: exact(cell.result) })}`}
          </p>
        )}
      </section>
    </div>
  );
}

function Detail({ network, layer, cell, channel, choose }: Props) {
  switch (layer.arithmetic.kind) {
    case "input": return <p>{t("given")}</p>;
    case "constant": return <p>{t("constant")}</p>;
    case "recurrent": return <p>{t("recurrent")}</p>;
    case "conv": return <Products layer={layer} cell={cell} channel={channel} choose={choose} />;
    case "pool": return <WindowGrid layer={layer} terms={cell.terms} />;
    case "concat":
    case "same":
    case "slice":
    case "transpose":
    case "depth_to_space":
    case "space_to_depth":
    case "shuffle":
    case "gather":
    case "pad": {
      const term = cell.terms[0];
      if (!term) return <p>{t("border")}</p>;
      const [c, y, x] = term.at;
      return <p>{t("moved", { name: network.layers[layer.operands[term.operand]].name, c, y, x })}</p>;
    }
    default: return <Contributions network={network} layer={layer} cell={cell} />;
  }
}

function Grid({ terms, width, caption, value, scale, tight }: { terms: Term[]; width: number; caption: string; value: (term: Term) => number; scale: number; tight: boolean }) {
  return (
    <figure>
      <figcaption>{caption}</figcaption>
      <div class={tight ? "grid tight" : "grid"} style={{ gridTemplateColumns: `repeat(${width}, auto)` }}>
        {terms.map((term) => (
          <span class={`${term.padding ? "pad" : ""}${term.won ? " won" : ""}`} title={term.padding ? t("padding") : exact(value(term))} style={term.padding ? {} : tint(value(term), scale)}>
            {term.padding ? "0" : short(value(term), width > 7 ? 1 : width > 4 ? 2 : 3)}
          </span>
        ))}
      </div>
    </figure>
  );
}

const largest = (terms: Term[], value: (term: Term) => number) => Math.max(...terms.map((term) => Math.abs(value(term))), 0);

/** A convolution's window, filter and products of one channel, and the sums of all channels. */
function Products({ layer, cell, channel, choose }: { layer: NetworkLayer; cell: Cell; channel: number; choose: (channel: number) => void }) {
  if (layer.arithmetic.kind !== "conv") return null;
  const sums = cell.channels.filter((one) => one.count > 0);
  const own = sums.find((one) => one.channel === channel) ?? sums[0];
  if (!own) return <p>{t("paddingCell")}</p>;
  const terms = cell.terms.slice(own.first, own.first + own.count);
  const width = layer.arithmetic.transposed ? Math.ceil(Math.sqrt(terms.length)) : layer.arithmetic.window.size[1];
  const tight = width > 5;
  const product = terms.length === 1;
  return (
    <>
      {product && sums.length > 1 ? null : (
        <div class="grids">
          <Grid terms={terms} width={width} caption={`${t("window")}, ${t("channel")} ${own.channel}`} value={(term) => term.x} scale={largest(cell.terms, (term) => term.x)} tight={tight} />
          <span aria-hidden="true">×</span>
          <Grid terms={terms} width={width} caption={t("weights")} value={(term) => term.weight ?? 0} scale={largest(cell.terms, (term) => term.weight ?? 0)} tight={tight} />
          <span aria-hidden="true">=</span>
          <Grid terms={terms} width={width} caption={t("products")} value={(term) => term.product} scale={largest(cell.terms, (term) => term.product)} tight={tight} />
          <span class="mono">Σ = {exact(own.sum)}</span>
        </div>
      )}
      {sums.length > 1 && (
        <>
          <h3 style={{ marginTop: ".8rem" }}>{t("perChannel")}</h3>
          <Bars
            rows={sums.map((one) => ({
              key: one.channel,
              label: product ? `${t("channel")} ${one.channel}:  ${short(cell.terms[one.first].x)} · ${short(cell.terms[one.first].weight)}` : `${t("channel")} ${one.channel}`,
              value: one.sum,
              on: one.channel === own.channel,
            }))}
            choose={choose}
          />
        </>
      )}
    </>
  );
}

function WindowGrid({ layer, terms }: { layer: NetworkLayer; terms: Term[] }) {
  if (layer.arithmetic.kind !== "pool") return null;
  const width = layer.arithmetic.window.size[1];
  return (
    <div class="grids">
      <Grid terms={terms} width={width} caption={t("window")} value={(term) => term.x} scale={largest(terms, (term) => term.x)} tight={width > 5} />
    </div>
  );
}

/** Terms as bars, those that matter most first. */
function Contributions({ network, layer, cell }: { network: Network; layer: NetworkLayer; cell: Cell }) {
  const many = layer.operands.length > 1 && layer.arithmetic.kind === "combine";
  const words = network.outputs.some((output) => output.layer === layer.index) && network.labels.length === layer.value.extent[0] ? network.labels : [];
  const rows = cell.terms.map((term, i) => ({
    key: i,
    label: many
      ? network.layers[layer.operands[term.operand]].name
      : `${layer.arithmetic.kind === "softmax" && words[term.at[0]] ? words[term.at[0]] : place(term, network, layer)}${term.weight === undefined ? "" : `:  ${short(term.x)} · ${short(term.weight)}`}`,
    value: term.product,
    on: !!term.won,
  }));
  return (
    <>
      {!many && cell.terms.length > LISTED && <p class="soft small">{t("contributions")}</p>}
      <Bars rows={rows} />
    </>
  );
}

function place(term: Term, network: Network, layer: NetworkLayer): string {
  const [, rows, columns] = network.layers[layer.operands[term.operand]].value.extent;
  return rows * columns === 1 ? String(term.at[0]) : `(${term.at.join(", ")})`;
}

function Bars({ rows, choose }: { rows: { key: number; label: string; value: number; on: boolean }[]; choose?: (key: number) => void }) {
  const sorted = rows.length > LISTED ? [...rows].sort((a, b) => Number(b.on) - Number(a.on) || Math.abs(b.value) - Math.abs(a.value)) : rows;
  const listed = sorted.slice(0, LISTED);
  const rest = sorted.slice(LISTED);
  const scale = Math.max(...rows.map((row) => Math.abs(row.value)), 0);
  const signed = rows.some((row) => row.value < 0);
  const bar = (value: number) => {
    const share = scale > 0 && Number.isFinite(value) ? (Math.abs(value) / scale) * (signed ? 50 : 100) : 0;
    const left = signed ? (value < 0 ? 50 - share : 50) : 0;
    return <i class={value < 0 ? "neg" : "pos"} style={{ left: `${left}%`, width: `${share}%` }} />;
  };
  return (
    <div class="bars">
      {listed.map((row) => (
        <>
          {choose ? (
            <button type="button" class={row.on ? "l on" : "l"} onClick={() => choose(row.key)}>{row.label}</button>
          ) : (
            <span class={row.on ? "l on" : "l"}>{row.label}</span>
          )}
          <span class="v">{exact(row.value)}</span>
          <span class={signed ? "track" : "track one"} aria-hidden="true">{bar(row.value)}</span>
        </>
      ))}
      {rest.length > 0 && (
        <>
          <span class="l">{t("others", { n: rest.length })}</span>
          <span class="v">{exact(rest.reduce((sum, row) => sum + row.value, 0))}</span>
          <span />
        </>
      )}
    </div>
  );
}
