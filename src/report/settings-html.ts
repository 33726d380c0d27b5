import { differingKeys, type Group, settingKeys } from "./groups.ts";
import { detailsHtml, escaped, gridHtml } from "./html.ts";

/** The settings of all groups. Those that differ come first and are marked; shared ones need one column, and are folded away. */
export function settingsHtml(groups: readonly Group[]): string {
  const differing = differingKeys(groups);
  const shared = settingKeys(groups).filter((key) => !differing.includes(key));
  const row = (key: string, values: readonly string[], mark = "") =>
    `<tr${mark}><th scope="row">${escaped(key)}</th>${values.map((value) => `<td>${escaped(value)}</td>`).join("")}</tr>`;
  const valuesOf = (key: string) => groups.map(({ settings }) => settings.get(key) ?? "–");
  const head = ["setting", ...groups.map(({ label }) => label)];
  const marked = differing.map((key) => row(key, valuesOf(key), ' class="differs"')).join("\n");
  const rest = shared.map((key) => row(key, valuesOf(key).slice(0, 1))).join("\n");
  const sharedGrid = gridHtml("settings", ["setting", "all groups"], rest);
  if (differing.length === 0) return sharedGrid;
  const summary = `${shared.length} settings that all groups share`;
  return `${gridHtml("settings", head, marked)}${detailsHtml(summary, sharedGrid)}`;
}
