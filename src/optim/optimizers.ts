import { namesOf } from "../util/names.ts";
import { adamw } from "./optimizers/adamw.ts";
import { lamb } from "./optimizers/lamb.ts";
import { lars } from "./optimizers/lars.ts";
import { lion } from "./optimizers/lion.ts";
import { muon } from "./optimizers/muon.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";
import { sgd } from "./optimizers/sgd.ts";

export type { Optimizer, OptimizerDefaults, OptimizerSettings, Update, UpdateArgs } from "./optimizers/optimizer.ts";

/** The base optimizers; a new one is one file and one line. */
export const optimizers = { sgd, adamw, lion, lars, lamb, muon } as const satisfies Readonly<Record<string, Optimizer>>;

export type OptimizerName = keyof typeof optimizers;

/** The names of the base optimizers. */
export const optimizerNames = namesOf(optimizers);
