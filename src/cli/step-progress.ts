import { reportProgress } from "./parent.ts";
import { eta, progressLine } from "./progress-line.ts";

/** Shows how many steps of a run are done, to a person and to the pool that started this process. */
export function stepProgress(): (done: number, of: number) => void {
  const line = progressLine();
  const begun = performance.now();
  let first: number | undefined;
  return (done, of) => {
    first ??= done;
    const made = done - first;
    reportProgress(done, of);
    line(() => [
      { rank: 2, text: `step ${done}/${of}` },
      { rank: 0, fraction: done / of },
      ...eta((performance.now() - begun) / 1000, made, of - done, 1),
    ]);
  };
}
