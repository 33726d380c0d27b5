import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { fitTable } from "../src/cli/run-list/fit-table.ts";
import { oneLine } from "../src/report/printable.ts";
import { runFiles } from "../src/run/files.ts";
import { eigensam, jsonLines } from "./support/cli.ts";
import { readEvents } from "./support/event-file.ts";
import { runFolders } from "./support/run-folders.ts";

describe("a table that fits", () => {
  const columns = [
    {
      title: "name",
      align: "left" as const,
      cells: ["a-long-name-of-a-run-seed1", "日本語の名前がここにあります-seed2"],
      shrinks: true,
    },
    { title: "loss", align: "right" as const, cells: ["0.5", "12.25"], rank: 2 },
    { title: "date", align: "left" as const, cells: ["2026-01-01", "–"], rank: 1 },
  ];
  it("is whole where there is room", () => {
    expect(fitTable(columns, 80)).toEqual({
      lines: [
        "name                                 loss  date",
        "a-long-name-of-a-run-seed1            0.5  2026-01-01",
        "日本語の名前がここにあります-seed2  12.25  –",
      ],
      leftOut: [],
      fits: true,
    });
  });
  it("cuts names in their middle once the least of the columns is gone", () => {
    const { lines, leftOut, fits } = fitTable(columns, 26);
    expect([leftOut, fits]).toEqual([["date"], true]);
    expect(lines).toEqual(["name                  loss", "a-long-na…run-seed1    0.5", "日本語の…す-seed2    12.25"]);
  });
  it("is cut off where even that has no room", () => {
    const { lines, leftOut, fits } = fitTable(columns, 10);
    expect([leftOut, fits]).toEqual([["loss", "date"], false]);
    expect(lines.every((line) => [...line].length <= 10)).toBe(true);
  });
});

it("names cannot command a terminal", () => {
  expect(oneLine("a\u001b[31m\nb\t\u009bc\u202ed\u2028")).toBe("a\uFFFD[31m\uFFFDb\uFFFD\uFFFDc\uFFFDd\uFFFD");
});

describe("eigensam runs", () => {
  const cwd = mkdtempSync(join(tmpdir(), "eigensam-runs-cli-"));
  cpSync(runFolders(), join(cwd, "runs"), { recursive: true });
  const evil = join(cwd, "runs/compare/z\u001b[2J\u009b1m");
  renameSync(join(cwd, "runs/compare/sgd-seed10"), evil);
  cpSync(join(cwd, "runs/compare/sam-seed1"), join(cwd, "runs/broken"), { recursive: true });
  writeFileSync(runFiles(join(cwd, "runs/broken")).record, "{");
  const runs = (...args: string[]) => eigensam(["runs", ...args], { cwd });
  /** Characters that a terminal obeys. */
  const commandsIn = (text: string) => ["\u001b", "\u009b"].filter((character) => text.includes(character));

  it("lists runs/ as a table that a pipe gets whole, damaged ones at its end", async () => {
    const { status, stdout, stderr } = await runs("--sort", "method,seed");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(9);
    expect(lines[0]).toMatch(
      /^name +status +method +model +data +seed +done +val acc +test acc +test loss +λ₁ +date \(UTC\) +time$/,
    );
    expect(lines[1]).toMatch(
      /^compare\/sam-seed1 +done +sam +resnet18 +fashion-mini +1 +3\/3 .* 2026-01-01 00:00 +6\.0s$/,
    );
    expect(lines.at(-1)).toBe("broken  damaged  runs/broken/run.json: got {, expected JSON");
    expect(commandsIn(stdout)).toEqual([]);
    expect(stdout).toContain("compare/z\uFFFD[2J\uFFFD1m");
  });

  it("gives everything as JSON lines, and chosen columns as CSV", async () => {
    const json = await runs("--json", "--filter", "kind=train");
    const lines = jsonLines<Record<string, unknown>>(json.stdout);
    expect(lines).toHaveLength(6);
    expect(lines[0]).toMatchObject({ name: "compare/sam-seed1", status: "done", settings: { "optimizer.lr": 0.1 } });
    expect(commandsIn(json.stdout)).toEqual([]);
    expect(lines.at(-1)!.path).toBe("runs/compare/z\u001b[2J\u009b1m");
    expect(json.stderr).toContain("1 damaged run is filtered out");
    const csv = await runs(
      "--csv",
      "--columns",
      "name,lr,schedule.milestones",
      "--filter",
      "method=sam",
      "--filter",
      "seed<3",
    );
    expect(csv.stdout.split("\n")).toEqual([
      "name,optimizer.lr,schedule.milestones",
      'compare/sam-seed1,0.1,"[1,30]"',
      'compare/sam-seed2,0.05,"[2,30]"',
      "",
    ]);
  });

  it("writes the runs of training for TensorBoard, and never beside the folder", async () => {
    const { status, stdout, stderr } = await runs("--tensorboard", "tb", "--filter", "seed=2,4");
    expect(status).toBe(0);
    const file = "events.out.tfevents.0.eigensam";
    expect(stdout).toBe(`tb/compare/sam-seed2/${file}\ntb/compare/sgd-seed2/${file}\n`);
    expect(stderr).toContain("sde/deep/rho0.1 is no run of training that has begun");
    const lines = jsonLines(readFileSync(runFiles(join(cwd, "runs/compare/sam-seed2")).metrics, "utf8"));
    const { points } = readEvents(readFileSync(join(cwd, "tb/compare/sam-seed2", file)));
    expect(points.filter(({ tag }) => tag === "step/loss")).toHaveLength(
      lines.filter(({ kind }) => kind === "step").length,
    );
    // Among several folders a run is named by its path, which may lead up.
    const own = basename(cwd);
    const upward = await runs("runs/sde", `../${own}/runs/compare`, "--tensorboard", "tb2");
    expect(upward.stdout.split("\n")[0]).toBe(`tb2/${own}/runs/compare/sam-seed1/${file}`);
    expect(readdirSync(cwd).sort()).toEqual(["runs", "tb", "tb2"]);
  });

  it("compares a few runs side by side, and says what is refused", async () => {
    const { stdout } = await runs("runs/compare", "--compare", "--filter", "seed=1");
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/ {2,}/));
    expect(rows.slice(0, 4)).toEqual([
      ["", "sam-seed1", "sgd-seed1"],
      ["method.name", "sam", "sgd"],
      ["method.rho", "0.05", "–"],
      ["status", "done", "done"],
    ]);
    expect(await runs("--json", "--csv")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("exclude each other"),
    });
    expect(await runs("--columns", "nmae")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("did you mean name?"),
    });
    expect(await runs("--filter", "method=egr")).toMatchObject({
      status: 0,
      stdout: "",
      stderr: expect.stringContaining("none of 8 runs fits"),
    });
  });
});
