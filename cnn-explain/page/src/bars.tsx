/** Numbers as a list of bars, those that matter most first. */

import { exact } from "./numbers";
import { t } from "./strings";

/** Rows that are listed one by one. */
export const LISTED = 16;

export function Bars({ label, rows, choose }: { label: string; rows: { key: number; label: string; value: number; on: boolean }[]; choose?: (key: number) => void }) {
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
    <div class="bars" role="group" aria-label={label} tabIndex={0}>
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
