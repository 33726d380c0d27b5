import { cancelledIn } from "../../sweep/slurm-jobs.ts";
import { TrainingError } from "../../util/errors.ts";
import { statusOf } from "../children.ts";
import { onStopSignals } from "../stop.ts";
import { say } from "../ui.ts";
import { askSlurm } from "./slurm-commands.ts";

/** The element of an array job that this process is. */
export interface Element {
  readonly job: string;
  /** As scontrol takes it. The number of the job alone would mean all its elements. */
  readonly id: string;
  /** How often it was requeued, for whatever reason. */
  readonly restarts: number;
}

/** The element of an array job of Slurm that this process is, or undefined outside one. */
export function elementHere(env: NodeJS.ProcessEnv = process.env): Element | undefined {
  const { SLURM_ARRAY_JOB_ID: job, SLURM_ARRAY_TASK_ID: task, SLURM_RESTART_COUNT: restarts = "0" } = env;
  return job && task ? { job, id: `${job}_${task}`, restarts: Number(restarts) } : undefined;
}

/** Waiting ends after this time, in milliseconds, if nothing else ends it. */
const LONGEST_WAIT = 600_000;

/** How Slurm asked this process to save. */
export interface SlurmStop {
  readonly signal: AbortSignal;
  /** The exit status: 0 until a signal came. */
  readonly status: () => number;
  /** Whether there was a signal other than the warning, after which Slurm kills at a later time. */
  readonly ending: () => boolean;
  /** Resolves at the next signal of that kind. */
  readonly ended: () => Promise<void>;
}

/** Stops at the first signal. Further ones do not end the process before it has saved: Slurm itself kills what takes too long. */
export function stopUnderSlurm(): SlurmStop {
  const stop = new AbortController();
  const ends = new EventTarget();
  let status = 0;
  let ending = false;
  onStopSignals((signal) => {
    if (signal !== "SIGUSR2") {
      ending = true;
      ends.dispatchEvent(new Event("end"));
    }
    if (stop.signal.aborted) return;
    status = statusOf(null, signal);
    say(`${signal} from Slurm; finishing this step and saving`);
    stop.abort();
  });
  return {
    signal: stop.signal,
    status: () => status,
    ending: () => ending,
    ended: () =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, LONGEST_WAIT);
        const end = () => {
          clearTimeout(timer);
          resolve();
        };
        ends.addEventListener("end", end, { once: true });
      }),
  };
}

interface RequeueArgs {
  readonly element: Element;
  readonly stop: SlurmStop;
  /** The folder of the sweep. */
  readonly out: string;
  /** How often an element may be requeued. */
  readonly most: number;
}

/**
 * Asks Slurm to put this element back in its queue, after it has saved, and waits until Slurm ends it: an element that exits by itself
 * is done for Slurm. One that is being cancelled is left alone, because Slurm would requeue that too.
 * @throws TrainingError where it was requeued as often as is allowed
 */
export async function requeue({ element: { id, job, restarts }, stop, out, most }: RequeueArgs): Promise<void> {
  const standing = cancelledIn(out).has(job) ? "cancelled" : standingOf({ id, restarts }, stop.ending());
  if (standing === "cancelled") return say(`${id} was cancelled; it is not requeued`);
  if (standing === "requeued") return say(`${id} is requeued by Slurm itself`);
  if (restarts >= most)
    throw new TrainingError(
      `${id} was requeued ${restarts} times, and slurm.maxRestarts is ${most}`,
      { id, restarts, most },
      "its work is saved: eigensam sweep run submits it again; raise slurm.maxRestarts or slurm.time",
    );
  const answer = askSlurm("scontrol", ["requeue", id]);
  if ("why" in answer) say(`${id} could not be requeued: ${answer.why}`);
  else say(`${id} is requeued`);
  if (standing === "running") await stop.ended();
}

/**
 * What Slurm does with an element that was told to stop. At a time limit and at preemption it leaves a trace; what ends without one was
 * cancelled by its user. Where scontrol cannot be asked, as in a container, the signal decides.
 */
function standingOf(
  { id, restarts }: Pick<Element, "id" | "restarts">,
  ending: boolean,
): "running" | "ending" | "requeued" | "cancelled" {
  const answer = askSlurm("scontrol", ["show", "job", "--oneliner", id]);
  if ("why" in answer) return ending ? "ending" : "running";
  const { text } = answer;
  if (Number(/\bRestarts=(\d+)/.exec(text)?.[1]) > restarts) return "requeued";
  if (!/\bJobState=\S*(COMPLETING|CANCELLED|TIMEOUT|PREEMPTED)/.test(text)) return "running";
  return /\bReason=TimeLimit\b/.test(text) || /\bPreemptTime=\d/.test(text) ? "ending" : "cancelled";
}
