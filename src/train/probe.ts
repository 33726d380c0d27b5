import type { Session } from "./session.ts";

/** Looks at a training at chosen steps, before the step is taken. What it finds is recorded; the training is not changed. */
export interface Probe {
  /** Whether it looks before step `step` of `total`, counted from 0. */
  due(step: number, total: number): boolean;
  /** The numbers of one look: the fields of a line of metrics.jsonl. */
  look(session: Session, step: number): Promise<Readonly<Record<string, number>>>;
  release(): Promise<void>;
}
