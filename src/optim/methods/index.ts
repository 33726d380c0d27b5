import { namesOf } from "../../util/names.ts";
import type { Method } from "../method.ts";
import { asam } from "./asam.ts";
import { aeSam } from "./ae-sam.ts";
import { asamEta } from "./asam-eta.ts";
import { bsam } from "./bsam.ts";
import { crSam } from "./cr-sam.ts";
import { egr } from "./egr.ts";
import { eigenSam } from "./eigen-sam.ts";
import { esam } from "./esam.ts";
import { fSam } from "./f-sam.ts";
import { gsam } from "./gsam.ts";
import { lookSam } from "./look-sam.ts";
import { msam } from "./msam.ts";
import { reverseSam } from "./reverse-sam.ts";
import { sam } from "./sam.ts";
import { samOn } from "./sam-on.ts";
import { sampa } from "./sampa.ts";
import { sgd } from "./sgd.ts";
import { thirdOrder } from "./third-order.ts";
import { usam } from "./usam.ts";
import { vasso } from "./vasso.ts";
import { wsam } from "./wsam.ts";
import { xsam } from "./xsam.ts";

/** The training methods, in the order of tables; a new one is one file and one line. */
export const trainingMethods = {
  sgd,
  sam,
  usam,
  asam,
  "reverse-sam": reverseSam,
  egr,
  "third-order": thirdOrder,
  "eigen-sam": eigenSam,
  "f-sam": fSam,
  vasso,
  gsam,
  msam,
  "sam-on": samOn,
  wsam,
  "asam-eta": asamEta,
  "cr-sam": crSam,
  "look-sam": lookSam,
  "ae-sam": aeSam,
  bsam,
  sampa,
  xsam,
  esam,
} as const satisfies Readonly<Record<string, Method>>;

/** Name of a built-in training method. */
export type TrainingMethodName = keyof typeof trainingMethods;

/** The names of the built-in training methods. */
export const trainingMethodNames = namesOf(trainingMethods);
