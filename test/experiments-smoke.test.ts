import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { experiments } from "../src/experiments/index.ts";
import { eigensam } from "./support/cli.ts";
import { drawnPart, readPng } from "./support/png.ts";

const chromium = ["chromium", "chromium-browser", "google-chrome"].find(
  (name) => spawnSync(name, ["--version"]).status === 0,
);

/** A page as a browser shows it at a width, without a screen. */
function shown(page: string, width: number, to: string): void {
  const profile = mkdtempSync(join(tmpdir(), "eigensam-browser-"));
  const quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", `--user-data-dir=${profile}`];
  const args = [...quiet, `--window-size=${width},4000`, `--screenshot=${to}`, pathToFileURL(page).href];
  execFileSync(chromium!, args, { stdio: "pipe", timeout: 60_000 });
}

describe.runIf(process.env.EIGENSAM_SLOW === "1")("every experiment, to see it work", () => {
  const folder = mkdtempSync(join(tmpdir(), "eigensam-smoke-"));

  it.each(Object.keys(experiments))("%s makes its runs and its page", { timeout: 900_000 }, async (name) => {
    const out = join(folder, name);
    const { status, stderr, stdout } = await eigensam(["paper", name, "--scale", "smoke", "--out", out]);
    expect({ status, end: stderr.slice(-2000) }).toMatchObject({ status: 0 });
    expect(stdout).toContain("report.html");
    const page = join(out, "report.html");
    const figures = readdirSync(join(out, "figures")).filter((file) => file.endsWith(".png"));
    expect(figures.length).toBeGreaterThan(0);
    const html = readFileSync(page, "utf8");
    expect(html.split("<svg").length - 1).toBe(figures.length);
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
    for (const figure of figures)
      expect(drawnPart(readPng(join(out, "figures", figure))), figure).toBeGreaterThan(0.01);
    if (chromium === undefined) return;
    for (const width of [1280, 400]) {
      const picture = join(out, `${width}.png`);
      shown(page, width, picture);
      expect(drawnPart(readPng(picture)), `${width} pixels wide`).toBeGreaterThan(0.005);
    }
  });

  it("again makes nothing", { timeout: 60_000 }, async () => {
    const out = join(folder, "reverse");
    const { stderr, stdout } = await eigensam(["paper", "reverse", "--scale", "smoke", "--out", out]);
    expect(stderr).toBe("");
    expect(stdout).toContain("report.html");
  });
});
