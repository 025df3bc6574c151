// The page's views, as its address names them.

export const VIEWS = ["network", "layer", "maps", "table", "compiler&part=passes", "compiler&part=fused", "compiler&part=plan", "compiler&part=memoryView", "compiler&part=code", "compiler&part=times", "course"];

/** Shows a view, in whatever browser `page` is of. */
export async function show(page, hash) {
  await page.evaluate((hash) => { location.hash = hash; }, hash);
  await new Promise((done) => setTimeout(done, 250));
}

/** Explains up to `most` cells of each layer, in the page: how many were checked, and which are not the engine's. */
export function checked(page, most) {
  return page.evaluate((most) => {
    const all = window.cnn.network.layers.map((layer) => ({ name: layer.name, ...window.cnn.check(layer.index, most) }));
    return { checked: all.reduce((sum, one) => sum + one.checked, 0), wrong: all.flatMap((one) => one.wrong), without: all.filter((one) => !one.checked).map((one) => one.name), layers: all.length };
  }, most);
}
