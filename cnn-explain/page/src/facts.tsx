/** What is known of a layer without looking at its numbers, and its place in the model file. */

import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Network, NetworkLayer } from "./load";
import { bytes, dims, grouped, resolved } from "./numbers";
import { t } from "./strings";

export function Facts({ network, layer, go }: { network: Network; layer: NetworkLayer; go: (layer: number) => void }) {
  const link = (index: number) => (
    <a href={`#view=layer&layer=${encodeURIComponent(network.layers[index].name)}`} onClick={(event) => { event.preventDefault(); go(index); }}>
      {network.layers[index].name}
    </a>
  );
  const list = (indices: number[]) => indices.map((index, i) => <>{i > 0 && ", "}{link(index)}</>);
  return (
    <dl class="facts">
      <dt>{t("op")}</dt><dd>{layer.op}</dd>
      <dt>{t("shape")}</dt><dd class="num">{dims(layer.shape)}</dd>
      {layer.formula && <><dt>{t("formula")}</dt><dd><code>{layer.formula}</code></dd></>}
      {layer.keys.length > 0 && <><dt>{t("keys")}</dt><dd><code>{layer.keys.map(([key, value]) => `${key} = ${value}`).join(", ")}</code></dd></>}
      <dt>{t("parameters")}</dt>
      <dd class="num">{grouped(layer.parameters)}{layer.weights.length > 0 && <span class="soft small"> ({layer.weights.map((one) => `${one.role} ${dims(one.shape)}`).join(", ")})</span>}</dd>
      <dt>{t("multiplications")}</dt><dd class="num">{layer.product ? <code>{resolved(layer.product)}</code> : 0}</dd>
      <dt>{t("memory")}</dt><dd class="num">{bytes(layer.bytes)}</dd>
      {layer.operands.length > 0 && <><dt>{t("from")}</dt><dd>{list(layer.operands)}</dd></>}
      {layer.users.length > 0 && <><dt>{t("to")}</dt><dd>{list(layer.users)}</dd></>}
      {layer.path.length > 0 && <><dt>{t("block")}</dt><dd>{layer.path.join(" › ")}</dd></>}
    </dl>
  );
}

/** The model file around a layer, its own lines lit. */
export function SourceLines({ network, layer }: { network: Network; layer: NetworkLayer }) {
  const box = useRef<HTMLDivElement>(null);
  const all = useMemo(() => network.source.text.split("\n"), [network]);
  const [first, last] = layer.lines ?? [0, 0];
  // A long file is shown in part.
  const begin = Math.max(0, first - 60);
  const shown = all.slice(begin, begin + 160);
  useEffect(() => {
    const line = box.current?.querySelector<HTMLElement>(".on");
    if (line && box.current) box.current.scrollTop = line.offsetTop - 60;
  }, [layer, network]);
  return (
    <div class="src" ref={box} tabIndex={0} role="region" aria-label={network.source.name} style={{ position: "relative" }}>
      {begin > 0 && <div><span class="n">…</span></div>}
      {shown.map((line, i) => {
        const number = begin + i + 1;
        return <div class={number >= first && number <= last ? "on" : ""}><span class="n">{number}</span>{line}</div>;
      })}
      {begin + shown.length < all.length && <div><span class="n">…</span></div>}
    </div>
  );
}
