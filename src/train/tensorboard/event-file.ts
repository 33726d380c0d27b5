import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync } from "node:fs";
import { basename, join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { runFiles } from "../../run/files.ts";
import { makeFolder, syncFolder, writeAll, writeAtomic } from "../../util/files.ts";
import { type MetricsLine, metricsLine } from "../records.ts";
import { trainRun } from "../run-dir.ts";
import { EventSchema } from "./event_pb.ts";
import { recordOf } from "./record-file.ts";
import { type Line, scalarsOf } from "./scalars.ts";

/**
 * Opens what TensorBoard reads of a run, after the lines that its metrics.jsonl holds so far. The file depends on these lines alone:
 * it holds no times, so a resumed run makes the same one. It is made anew from them where it is missing or damaged.
 */
export function openEvents(run: string, lines: readonly Line[]) {
  const { tensorboard, events } = runFiles(run);
  const encode = encoder();
  const earlier = bytesOf(lines, encode);
  let file: number | undefined;
  let [bytes, synced] = [0, false];
  const write = (to: number, data: Uint8Array): void => {
    synced = false;
    writeAll(to, data, bytes);
    bytes += data.length;
  };
  const open = (): number => {
    makeFolder(tensorboard);
    file = openSync(events, existsSync(events) ? "r+" : "w");
    // Written over what is there and cut off behind, so that who watches the file sees no byte change.
    write(file, earlier);
    ftruncateSync(file, bytes);
    return file;
  };
  // A start that fails before its first line leaves no file.
  if (lines.length > 0 || existsSync(events)) open();
  return {
    append: (line: MetricsLine): void => {
      // As it will be read again: JSON has no infinities, and no zero below zero.
      const read = metricsLine.parse(JSON.parse(JSON.stringify(line)));
      write(file ?? open(), encode(read));
    },
    /** On disk for good, with its name. */
    sync: (): void => {
      if (file === undefined || synced) return;
      fsyncSync(file);
      syncFolder(tensorboard);
      synced = true;
    },
    close: (): void => {
      if (file !== undefined) closeSync(file);
    },
  };
}

/** Writes into a folder, whole or not at all, what TensorBoard reads of a run that may have been made without it. Returns the path. */
export function exportEvents(run: string, folder: string): string {
  const path = join(folder, basename(runFiles(run).events));
  const bytes = bytesOf(trainRun.readMetrics(run), encoder());
  makeFolder(folder);
  writeAtomic(path, bytes);
  return path;
}

const bytesOf = (lines: readonly Line[], encode: (line: Line) => Uint8Array): Buffer =>
  Buffer.concat([FIRST, ...lines.map(encode)]);

/** What a file of this form begins with. TensorBoard takes a step that comes again after it for another point, not for a restart. */
const FIRST = recordOf(
  toBinary(EventSchema, create(EventSchema, { what: { case: "fileVersion", value: "brain.Event:2" } })),
);

/** Lines as records. The last line of a run has no step of its own, and stands where the one before it does. */
function encoder(): (line: Line) => Uint8Array {
  let step = 0;
  return (line) => {
    if ("step" in line) step = line.step;
    const value = Object.entries(scalarsOf(line)).map(([tag, simpleValue]) => ({ tag, simpleValue }));
    if (value.length === 0) return new Uint8Array();
    const event = create(EventSchema, { step: BigInt(step), what: { case: "summary", value: { value } } });
    return recordOf(toBinary(EventSchema, event));
  };
}
