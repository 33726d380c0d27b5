/** A look at a run: the loss and λ₁ of the same images. */
export interface Look {
  readonly loss: number;
  readonly eigenvalue: number;
}

/** log λ₁ of two runs where their losses are equal. */
export interface Matched {
  /** The lowest loss that both reach. */
  readonly loss: number;
  readonly logs: readonly [number, number];
}

/**
 * log λ₁ of two runs at the lowest loss that both reach: the larger of their smallest losses. Each curve, looks in the order of
 * training, is followed to the first place where it comes down to that loss, on a straight line of log λ₁ against log loss between
 * two looks. Undefined where a run begins below it, or where a loss or λ₁ at a look in use is not positive and finite.
 */
export function matchedSharpness(first: readonly Look[], second: readonly Look[]): Matched | undefined {
  const loss = Math.max(...[first, second].map((looks) => Math.min(...looks.map((look) => look.loss))));
  const logs = [first, second].map((looks) => logSharpnessAt(looks, loss));
  const [one, other] = logs;
  return one === undefined || other === undefined ? undefined : { loss, logs: [one, other] };
}

function logSharpnessAt(looks: readonly Look[], loss: number): number | undefined {
  const at = looks.findIndex((look) => look.loss <= loss);
  const below = looks[at];
  // Where the first look is at the loss itself, there is nothing above it to come from.
  const above = below?.loss === loss ? below : looks[at - 1];
  if (below === undefined || above === undefined) return undefined;
  const values = [loss, above.loss, above.eigenvalue, below.loss, below.eigenvalue];
  if (!values.every((value) => value > 0 && Number.isFinite(value))) return undefined;
  if (below === above) return Math.log(below.eigenvalue);
  const part = Math.log(above.loss / loss) / Math.log(above.loss / below.loss);
  return (1 - part) * Math.log(above.eigenvalue) + part * Math.log(below.eigenvalue);
}
