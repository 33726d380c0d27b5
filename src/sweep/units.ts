import { goesOn, rungsOf } from "../search/asha.ts";
import { proposers, type Trial } from "../search/propose.ts";
import { measureOf } from "./measure.ts";
import { type Sweep, threaded, trialsOf } from "./sweep.ts";
import { readTrials, type ProposedTrial, writeTrial } from "./trial-files.ts";
import { isFixed, type SweepRun, type SweepTrial, trialOf } from "./trials.ts";

/** A piece of work: a run, trained to its end, or to the end of an epoch. */
export interface Unit {
  readonly run: SweepRun;
  readonly untilEpoch?: number;
}

export type UnitOutcome = "done" | "failed" | "stopped";

/** Work that is decided as results come. */
export interface UnitSource {
  /** The next piece; it waits for results that decide it. Undefined where nothing is left. */
  next(): Promise<Unit | undefined>;
  ended(unit: Unit, outcome: UnitOutcome): void;
}

/** What is known of the runs of a sweep. */
export interface Results {
  /** The measure of a run that is complete. */
  final(run: SweepRun): number | undefined;
  /** The measure after an epoch, where the run has come so far. */
  atEpoch(run: SweepRun, epoch: number): number | undefined;
}

/** A trial that is under way. */
interface Going {
  readonly trial: SweepTrial;
  record: ProposedTrial;
  /** Runs of the present rung that nobody works on yet. */
  waiting: SweepRun[];
  /** Runs of the present rung that have not ended. */
  open: number;
  failed: boolean;
  /** What the whole trial came to. */
  value: number | undefined;
  ended: boolean;
}

/** The work of a sweep that is left: what is missing of a plan, seed by seed, or what a search proposes. */
export function unitsOf(sweep: Sweep, results: Results): UnitSource {
  if (!isFixed(sweep.definition)) return searchUnits(sweep, results);
  const waiting = runsInOrder(sweep).filter((run) => results.final(run) === undefined);
  return {
    next: async () => {
      const run = waiting.shift();
      return run && { run };
    },
    ended: () => undefined,
  };
}

/** The runs of a sweep in the order of their numbers: seed by seed, so that one that is cut off has complete comparisons. */
export function runsInOrder(sweep: Sweep): SweepRun[] {
  const trials = trialsOf(sweep);
  return sweep.definition.seeds.flatMap((_, s) => trials.map(({ runs }) => runs[s]!));
}

/**
 * The trials of a search, proposed one after the other: each from the results there are when a process is free. What was proposed,
 * and which rungs were passed, is kept in the folder, so that a sweep that was stopped goes on with the same trials.
 */
export function searchUnits(sweep: Sweep, results: Results): UnitSource {
  const { search, seeds } = sweep.definition;
  const measure = measureOf(sweep.definition.measure);
  const going: Going[] = [];
  let wake: (() => void)[] = [];
  let stopped = false;

  /** The epoch to which a trial trains next; undefined is the end. */
  function rungOf({ trial, record }: Pick<Going, "trial" | "record">): number | undefined {
    if (search.by !== "asha") return undefined;
    const rungs = rungsOf({ min: search.minEpochs, max: trial.runs[0]!.config.train.epochs, eta: search.eta });
    return rungs[record.rungs.length];
  }

  const valueAt = (run: SweepRun, rung: number | undefined): number | undefined =>
    rung === undefined ? results.final(run) : results.atEpoch(run, rung);

  /** Adds a trial. */
  function add(record: ProposedTrial): Going {
    const trial = threaded(sweep, trialOf(sweep, record.number, record.point));
    const state: Going = { trial, record, waiting: [], open: 0, failed: false, value: undefined, ended: false };
    going.push(state);
    return state;
  }

  /** Lets a trial work on its present rung: the runs that have not come so far. */
  function enter(state: Going): void {
    if (state.record.rungs.at(-1)?.goesOn === false) {
      state.ended = true;
      return;
    }
    const rung = rungOf(state);
    state.waiting = state.trial.runs.filter((run) => valueAt(run, rung) === undefined);
    state.open = state.waiting.length;
    if (state.open === 0) leave(state);
  }

  /** All runs of a rung have ended: what the trial is worth, and whether it goes on. */
  function leave(state: Going): void {
    const rung = rungOf(state);
    const values = state.trial.runs.map((run) => valueAt(run, rung) ?? Number.NaN);
    const value = values.reduce((sum, each) => sum + each, 0) / seeds.length;
    if (state.failed || rung === undefined) {
      state.value = value;
      state.ended = true;
      return;
    }
    const recorded = going
      .filter((other) => other !== state)
      .flatMap(({ record }) => record.rungs.filter(({ epoch }) => epoch === rung).map((each) => each.value));
    const { direction } = measure;
    const on =
      Number.isFinite(value) && goesOn({ values: [...recorded, value], own: value, eta: search.eta, direction });
    state.record = { ...state.record, rungs: [...state.record.rungs, { epoch: rung, value, goesOn: on }] };
    writeTrial(sweep.out, state.record);
    enter(state);
  }

  function propose(): void {
    const number = going.length;
    const trials = going.map(({ trial: { point }, ended, failed, value, record }, i): Trial => {
      const known = value ?? record.rungs.at(-1)?.value;
      return { number: i, point, ...(failed ? { failed } : ended && known !== undefined ? { value: known } : {}) };
    });
    const by = search.by === "tpe" ? "tpe" : "random";
    const { space } = sweep.definition;
    const point = proposers[by]({ space, seed: search.seed, number, trials, direction: measure.direction });
    const after = going.filter(({ ended }) => ended).map(({ trial }) => trial.number);
    const record: ProposedTrial = { number, point, after, rungs: [] };
    writeTrial(sweep.out, record);
    enter(add(record));
  }

  // What is done stays done. A decision that was not kept is made when all that were are known.
  for (const state of readTrials(sweep.out).map(add)) enter(state);
  return {
    next: async () => {
      for (;;) {
        const state = going.find(({ waiting, failed }) => waiting.length > 0 && !failed);
        if (state) {
          const run = state.waiting.shift()!;
          const untilEpoch = rungOf(state);
          return { run, ...(untilEpoch === undefined ? {} : { untilEpoch }) };
        }
        if (going.length < search.trials) {
          propose();
          continue;
        }
        if (stopped || going.every(({ ended, failed }) => ended || failed)) return undefined;
        await new Promise<void>((resolve) => wake.push(resolve));
      }
    },
    ended: ({ run }, outcome) => {
      const state = going.find(({ trial }) => trial.number === run.trial)!;
      state.open--;
      // A trial without one of its seeds cannot be ranked.
      if (outcome === "failed") state.failed = true;
      if (outcome === "stopped") stopped = true;
      else if (state.open === 0 || state.failed) leave(state);
      for (const each of wake) each();
      wake = [];
    },
  };
}
