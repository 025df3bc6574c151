/** The arithmetic of all layers as a table, and two networks side by side. */

import { useState } from "preact/hooks";
import type { Cost, Outline, Totals } from "./data";
import { bytes, dims, grouped, large, short } from "./numbers";
import { Scroll } from "./scroll";
import { useApp } from "./state";
import { t } from "./strings";

export function TableView() {
  const { network, state, go } = useApp();
  const [only, setOnly] = useState(false);
  const other = network.beside;
  return (
    <div>
      <div class="bar">
        <button type="button" aria-pressed={only} onClick={() => setOnly(!only)}>{t("onlyCompute")}</button>
      </div>
      {other ? (
        <>
          <Comparison a={{ name: network.name, totals: network.totals }} b={other} />
          <div class="pair">
            <section><h2>{network.name}</h2><CostTable label={network.name} layers={network.layers} totals={network.totals} only={only} narrow open={(layer) => go({ view: "layer", layer })} chosen={state.layer} /></section>
            <section><h2>{other.name}</h2><CostTable label={other.name} layers={other.layers} totals={other.totals} only={only} narrow /></section>
          </div>
        </>
      ) : (
        <CostTable label={network.name} layers={network.layers} totals={network.totals} only={only} open={(layer) => go({ view: "layer", layer })} chosen={state.layer} />
      )}
    </div>
  );
}

function Comparison({ a, b }: { a: { name: string; totals: Totals }; b: Outline }) {
  const rows: [string, (totals: Totals) => number, (n: number) => string][] = [
    [t("multiplications"), (totals) => totals.multiplications, grouped],
    [t("parameters"), (totals) => totals.parameters, grouped],
    [t("valueBytes"), (totals) => totals.value_bytes, bytes],
    [t("weightBytes"), (totals) => totals.weight_bytes, bytes],
  ];
  return (
    <section style={{ marginBottom: "1.2rem" }}>
      <h2>{t("beside")}</h2>
      <Scroll label={t("beside")}>
        <table class="data">
          <thead><tr><td></td><th class="r">{a.name}</th><th class="r">{b.name}</th><th class="r">{t("ratio")}</th></tr></thead>
          <tbody>
            {rows.map(([label, of, form]) => (
              <tr><td>{label}</td><td class="r">{form(of(a.totals))}</td><td class="r">{form(of(b.totals))}</td><td class="r">{of(b.totals) ? `${short(of(a.totals) / of(b.totals))} ×` : ""}</td></tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

/** The table of some layers. */
export function CostTable({ label, layers, totals, only = false, narrow = false, open, chosen }: { label: string; layers: Cost[]; totals: Totals; only?: boolean; narrow?: boolean; open?: (layer: number) => void; chosen?: number }) {
  const rows = layers.map((layer, index) => ({ layer, index })).filter(({ layer }) => !only || layer.multiplications > 0);
  const most = Math.max(...layers.map((layer) => layer.multiplications), 1);
  return (
    <Scroll label={label}>
      <table class="data">
        <thead>
          <tr>
            <th>{t("layer")}</th><th>{t("op")}</th>{!narrow && <th>{t("formula")}</th>}<th>{t("output")}</th><th class="r">{t("parameters")}</th>
            {!narrow && <th>{t("product")}</th>}<th class="r">{t("multiplications")}</th>{!narrow && <th class="r">{t("memory")}</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ layer, index }) => (
            <tr class={index === chosen ? "on" : ""}>
              <td>{open ? <a href={`#view=layer&layer=${encodeURIComponent(layer.name)}`} onClick={(event) => { event.preventDefault(); open(index); }}>{layer.name}</a> : layer.name}</td>
              <td>{layer.op}</td>
              {!narrow && <td class="f">{layer.formula}</td>}
              <td class="num">{dims(layer.shape)}</td>
              <td class="r">{layer.parameters ? grouped(layer.parameters) : ""}</td>
              {!narrow && <td class="f">{layer.product.replace(/ = \d+$/, "")}</td>}
              <td class="r" style={{ background: `linear-gradient(to left, var(--share) ${(100 * layer.multiplications) / most}%, transparent 0)` }}>{layer.multiplications ? grouped(layer.multiplications) : ""}{narrow && layer.product && <><br /><code class="soft">{layer.product.replace(/ = \d+$/, "")}</code></>}</td>
              {!narrow && <td class="r">{bytes(layer.bytes)}</td>}
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <td>{t("total")}</td><td></td>{!narrow && <td></td>}<td></td>
            <td class="r">{grouped(totals.parameters)}</td>{!narrow && <td></td>}<td class="r" title={large(totals.multiplications)}>{grouped(totals.multiplications)}</td>{!narrow && <td class="r">{bytes(totals.value_bytes)}</td>}
          </tr>
        </tfoot>
      </table>
    </Scroll>
  );
}
