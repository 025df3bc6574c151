/** The gates of a recurrent layer's cell, and the products of the one that is chosen. */

import { useState } from "preact/hooks";
import { Bars } from "./bars";
import { type Cell, OWN } from "./arithmetic/explain";
import type { Network, NetworkLayer } from "./load";
import { exact, short } from "./numbers";
import { Scroll } from "./scroll";
import { t } from "./strings";

export function Gates({ network, layer, cell }: { network: Network; layer: NetworkLayer; cell: Cell }) {
  const [chosen, choose] = useState(0);
  const gate = cell.gates[chosen];
  if (!gate) return null;
  const terms = cell.terms.slice(gate.first, gate.first + gate.count);
  const label = (operand: number, at: number[]) => {
    const name = operand === OWN ? layer.name : network.layers[layer.operands[operand]].name;
    return `${name}[${at[1]}, ${at[2]}]`;
  };
  return (
    <>
      <p class="small soft">{t("recurrent")}</p>
      <Scroll label={t("gate")}>
        <table class="data gates">
          <thead>
            <tr><th>{t("gate")}</th><th class="r">{t("ofFeatures")}</th><th class="r">{t("ofState")}</th><th class="r">{t("result")}</th></tr>
          </thead>
          <tbody>
            {cell.gates.map((one, i) => (
              <tr class={i === chosen ? "on" : ""}>
                <td><button type="button" aria-pressed={i === chosen} onClick={() => choose(i)}><code>{one.name}</code></button> <code class="soft">{one.text}</code></td>
                <td class="r">{exact(one.features)}</td>
                <td class="r">{exact(one.state)}</td>
                <td class="r">{exact(one.value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <h3 style={{ marginTop: ".8rem" }}>{t("gateOf", { name: gate.name })}</h3>
      <Bars label={t("gateOf", { name: gate.name })} rows={terms.map((term, key) => ({ key, label: `${label(term.operand, term.at)}:  ${short(term.x)} · ${short(term.weight)}`, value: term.product, on: false }))} />
    </>
  );
}
