/** The work on one cell, written out: products, sums, what is done with them, and the engine's number beside the result. */

import { useEffect, useState } from "preact/hooks";
import type { Cell, Term } from "./arithmetic/explain";
import { Bars, LISTED } from "./bars";
import { tint } from "./colours";
import { Gates } from "./gates";
import { NumberGrid } from "./grid";
import type { Network, NetworkLayer } from "./load";
import { exact, meaning, short } from "./numbers";
import { language, t } from "./strings";

interface Props {
  network: Network;
  layer: NetworkLayer;
  cell: Cell;
  /** The channel of the first operand whose products are shown. */
  channel: number;
  choose: (channel: number) => void;
}

function cellTitle(layer: NetworkLayer, [c, y, x]: [number, number, number]): string {
  if (layer.arithmetic.kind === "recurrent") return t("stepTitle", { c, y, x });
  return layer.value.extent[1] * layer.value.extent[2] === 1 ? t("valueTitle", { c }) : t("cellTitle", { c, y, x });
}

/** Milliseconds after which a cell that stays is told to those who listen: one who moves on is not talked to. */
const STAY = 400;

/** The cell's arithmetic in a sentence, for screen readers. */
function Told({ layer, cell }: { layer: NetworkLayer; cell: Cell }) {
  const [words, say] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => {
      const lines = cell.lines.map((line) => `${t(line.what)} ${exact(line.value)}`);
      say([cellTitle(layer, cell.at), ...lines, `${t("engine")} ${exact(cell.engine)}`, cell.lines.length ? (cell.same ? t("same") : t("different", { x: exact(cell.result) })) : ""].filter(Boolean).join("; "));
    }, STAY);
    return () => clearTimeout(timer);
  }, [layer, cell, language()]);
  return <p class="visually-hidden" role="status">{words}</p>;
}

export function CellWork({ network, layer, cell, channel, choose }: Props) {
  return (
    <div class="work">
      <Told layer={layer} cell={cell} />
      <section class="panel">
        <h3>{cellTitle(layer, cell.at)}</h3>
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
            {layer.integers && (
              <tr>
                <td>{t("standsFor8")}</td>
                <td class="sym">{meaning(layer.integers)}</td>
                <td>{exact(Math.fround((cell.engine - layer.integers.zero_point) * layer.integers.scale))}</td>
              </tr>
            )}
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
    case "recurrent": return <Gates network={network} layer={layer} cell={cell} />;
    case "conv": return <Products layer={layer} cell={cell} channel={channel} choose={choose} />;
    case "pool": return <WindowGrid layer={layer} terms={cell.terms} />;
    case "concat":
    case "same":
    case "tile":
    case "gather_along":
    case "slice":
    case "transpose":
    case "depth_to_space":
    case "space_to_depth":
    case "shuffle":
    case "gather":
    case "pad": {
      const term = cell.terms.at(-1);
      if (!term) return <p>{t("border")}</p>;
      if (cell.lines.at(-1)?.what === "absent") return <p>{t("absent")}</p>;
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
      <NumberGrid
        label={caption}
        width={width}
        tight={tight}
        cells={terms.map((term) => ({
          text: term.padding ? "0" : short(value(term), width > 7 ? 1 : width > 4 ? 2 : 3),
          title: term.padding ? t("padding") : exact(value(term)),
          class: `${term.padding ? "pad" : ""}${term.won ? " won" : ""}`,
          style: term.padding ? undefined : tint(value(term), scale),
        }))}
      />
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
            label={t("perChannel")}
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
  const many = layer.operands.length > 1 && (layer.arithmetic.kind === "combine" || layer.arithmetic.kind === "quantized_add");
  const words = network.outputs.some((output) => output.layer === layer.index) && network.labels.length === layer.value.extent[0] ? network.labels : [];
  const rows = cell.terms.map((term, i) => ({
    key: i,
    label: `${many ? network.layers[layer.operands[term.operand]].name : layer.arithmetic.kind === "softmax" && words[term.at[0]] ? words[term.at[0]] : place(term, network, layer)}${term.weight === undefined ? "" : `:  ${short(term.x)} · ${short(term.weight)}`}`,
    value: term.product,
    on: !!term.won,
  }));
  return (
    <>
      {!many && cell.terms.length > LISTED && <p class="soft small">{t("contributions")}</p>}
      <Bars label={t("contributions")} rows={rows} />
    </>
  );
}

function place(term: Term, network: Network, layer: NetworkLayer): string {
  const [, rows, columns] = network.layers[layer.operands[term.operand]].value.extent;
  return rows * columns === 1 ? String(term.at[0]) : `(${term.at.join(", ")})`;
}
