import { mul } from "../graph/ops/elementwise.ts";
import type { Operand, Tensor } from "../graph/tensor.ts";
import { ConfigError } from "../util/errors.ts";
import { real } from "./hyper.ts";
import type { Method } from "./method.ts";
import type { Values } from "./point.ts";
import { norm, turned, unit } from "./vector.ts";

/** ‖ε‖(u + α·sign⟨u,v⟩·v⊥) with u = ε/‖ε‖. */
const towards = (epsilon: Tensor, v: Tensor, alpha: Operand): Tensor =>
  mul(norm(epsilon), turned(unit(epsilon), v, alpha));

/**
 * Eigen-SAM's alignment (Luo et al. 2024) over any perturbation: the method with its ε turned towards v by `align`. The part along the method's own ε
 * keeps its length, and with v = 0, before the first estimate, ε is the method's own. Of SAM it makes Eigen-SAM.
 *
 * @throws ConfigError where the method has no ε that leads uphill over all parameters
 */
export function aligned(method: Method): Method {
  const { name, title, summary, hyper, needs, series, ascent, unaligned } = method;
  const reason = ascent === undefined ? "it takes no gradient at θ + ε" : unaligned;
  if (ascent === undefined || reason !== undefined)
    throw new ConfigError(
      `method.align is set, but ${name} has no alignment with v: ${reason}`,
      { method: name },
      "leave it out, or choose a method whose ε leads uphill, such as sam, asam or f-sam",
    );
  const turnedAscent: typeof ascent = (at, values: Values) => towards(ascent(at, values), at.v, values.align!);
  return {
    ...method,
    title: `${title} aligned`,
    summary: `${summary}, with ε turned to ‖ε‖(u + α·sign⟨u,v⟩·v⊥), u = ε/‖ε‖`,
    hyper: { ...hyper, align: real(0.2, "alignment strength α", { min: 0, symbol: "α" }) },
    needs: { ...needs, v: true },
    ascent: turnedAscent,
    ...(series ? { series: { ...series, ascent: turnedAscent } } : {}),
    descend: (at, values, epsilon = turnedAscent(at, values)) => method.descend(at, values, epsilon),
  };
}
