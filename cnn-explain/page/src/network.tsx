/** The network as a graph, with what is known of the chosen layer beside it. */

import { useMemo, useState } from "preact/hooks";
import { Facts } from "./facts";
import { GraphView, type Item, useFolding } from "./graph";
import type { Network } from "./load";
import { styleOf, Thumb } from "./map";
import { useApp } from "./state";
import { t } from "./strings";
import { useTheme } from "./theme";

export function items(network: Network): Item[] {
  return network.layers.map((layer) => ({
    name: layer.name,
    op: layer.op,
    word: layer.word,
    sub: layer.shape.join("×"),
    operands: layer.operands,
    path: layer.path,
  }));
}

export function NetworkView() {
  const { network, state, go } = useApp();
  const theme = useTheme();
  const all = useMemo(() => items(network), [network]);
  const { folded, toggle, buttons } = useFolding(all);
  const [query, setQuery] = useState("");
  const found = useMemo(() => {
    const words = query.trim().toLowerCase();
    if (!words) return undefined;
    return new Set(network.layers.filter((layer) => `${layer.name} ${layer.op}`.toLowerCase().includes(words)).map((layer) => layer.index));
  }, [network, query]);
  const layer = network.layers[state.layer];
  const open = layer.path.find((group) => !folded.has(group));
  return (
    <div>
      <div class="bar">
        <input type="search" placeholder={t("search")} aria-label={t("search")} value={query} onInput={(event) => setQuery(event.currentTarget.value)} onKeyDown={(event) => { if (event.key === "Enter" && found?.size) go({ layer: [...found][0] }); }} />
        {found && <span class="soft small" role="status">{t("found", { n: found.size })}</span>}
        <span class="gap" />
        {buttons}
      </div>
      <div class="split">
        <GraphView items={all} folded={folded} toggle={toggle} selected={state.layer} select={(index) => go({ layer: index })} open={(index) => go({ view: "layer", layer: index })} found={found} label={t("graphLabel")} />
        <aside class="panel">
          <h2>{layer.name}</h2>
          <Facts network={network} layer={layer} go={(index) => go({ layer: index })} />
          <div class="bar">
            <button type="button" onClick={() => go({ view: "layer" })}>{t("open")}</button>
            {open && <button type="button" onClick={() => toggle(open)}>{t("fold")} {open}</button>}
          </div>
          <div class="gallery"><div class="maps">
            {layer.value.extent[1] * layer.value.extent[2] > 1 &&
              Array.from({ length: styleOf(layer.word, layer.value) === "rgb" ? 1 : Math.min(layer.value.pictures, 12) }, (_, channel) => <Thumb value={layer.value} channel={channel} style={styleOf(layer.word, layer.value)} size={68} theme={theme} />)}
          </div></div>
        </aside>
      </div>
    </div>
  );
}
