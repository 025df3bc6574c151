/** Numbers as a small table: a window, a filter, their products. */

export interface GridCell {
  text: string;
  /** What it is, where the text does not say all. */
  title?: string;
  class?: string;
  style?: { background: string; color: string };
}

export function NumberGrid({ label, width, tight, cells }: { label: string; width: number; tight: boolean; cells: GridCell[] }) {
  const rows = Array.from({ length: Math.ceil(cells.length / width) }, (_, row) => cells.slice(row * width, (row + 1) * width));
  return (
    <div class={tight ? "grid tight" : "grid"} role="table" aria-label={label} style={{ gridTemplateColumns: `repeat(${width}, auto)` }}>
      {rows.map((row) => (
        <div role="row" style={{ display: "contents" }}>
          {row.map((cell) => <span role="cell" class={cell.class} title={cell.title} style={cell.style}>{cell.text}</span>)}
        </div>
      ))}
    </div>
  );
}
