// What a screen reader is told, from Chromium's accessibility tree, and what the keyboard alone reaches.

/** Roles that must have a name. */
const NAMED = new Set(["button", "link", "textbox", "searchbox", "combobox", "slider", "region", "group", "img", "image", "application", "navigation", "checkbox", "table"]);

/** The nodes of a page's accessibility tree that are told, in order. */
async function tree(page) {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  await session.detach();
  return nodes.filter((node) => !node.ignored).map((node) => ({
    role: node.role?.value,
    name: node.name?.value ?? "",
    level: node.properties?.find(({ name }) => name === "level")?.value.value,
    focusable: node.properties?.some(({ name, value }) => name === "focusable" && value.value) ?? false,
  }));
}

/** Names, landmarks and the order of headings in one view. */
export async function structure(page, label, expect) {
  const nodes = await tree(page);
  const nameless = nodes.filter((node) => !node.name && (node.focusable || NAMED.has(node.role)) && !["RootWebArea", "main", "table"].includes(node.role));
  expect(nameless.length === 0, `${label}: without a name: ${[...new Set(nameless.map(({ role }) => role))]}`);
  for (const [role, count] of [["main", 1], ["banner", 1]]) {
    const found = nodes.filter((node) => node.role === role).length;
    expect(found === count, `${label}: ${found} of role ${role}`);
  }
  const levels = nodes.filter((node) => node.role === "heading").map((node) => node.level);
  expect(levels[0] === 1 && levels.filter((level) => level === 1).length === 1, `${label}: headings ${levels}`);
  expect(levels.every((level, i) => i === 0 || level <= levels[i - 1] + 1), `${label}: headings skip a level: ${levels}`);
}

/** Presses Tab until something that `selector` names has the focus, as a reader without a mouse would. */
export async function tabTo(page, selector, expect, most = 80) {
  for (let i = 0; i < most; i++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((selector) => !!document.activeElement?.matches(selector), selector)) return;
  }
  expect(false, `${most} Tabs do not lead to ${selector}`);
}

/** A cell is reached, moved and told without a mouse; so are a vector's elements, the memory's buffers, and the views. */
export async function keyboard(page, show, expect) {
  const told = () => page.locator(".work [role=status]").innerText();
  await show(page, "view=layer&layer=c1");
  await page.evaluate(() => document.activeElement?.blur());
  await tabTo(page, ".map.live", expect);
  const before = await told();
  await page.keyboard.press("ArrowDown");
  await page.waitForTimeout(900);
  const after = await told();
  expect(after !== before && /activation −?0/.test(after) && after.includes("the same f32"), `the cell is told as “${after}”`);
  await show(page, "view=layer&layer=f6");
  await tabTo(page, ".vector button", expect);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  expect((await page.locator(".vector button.lit").getAttribute("aria-label"))?.includes("2"), "the arrow keys choose an element of a vector");
  expect((await page.locator('.vector button[tabindex="0"]').count()) === 1, "a vector is one stop of the Tab key");
  await show(page, "view=compiler&part=memoryView");
  await tabTo(page, ".buffer", expect);
  expect((await page.locator(".chartbox [role=status]").innerText()).includes("%"), "a buffer that has the focus is described");
  await tabTo(page, ".tabs a", expect);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  expect((await page.evaluate(() => location.hash)).includes("view=layer"), "Enter opens a view");
}
