import { ConfigError } from "../util/errors.ts";
import type { Parameter, Range, Space } from "./parameter.ts";

/** Refuses a space with a domain that has no points, a key given twice, or a condition on anything but earlier parameters. */
export function checkSpace(space: Space): void {
  const earlier: string[] = [];
  for (const parameter of space) {
    const { key } = parameter;
    if (earlier.includes(key)) throw new ConfigError(`${key} is given twice`, { key }, "give it one domain");
    checkDomain(parameter);
    const unknown = Object.keys(parameter.when ?? {}).find((condition) => !earlier.includes(condition));
    if (unknown !== undefined)
      throw new ConfigError(
        `${key} depends on ${unknown}, expected an earlier parameter${earlier.length > 0 ? `: ${earlier.join(", ")}` : ""}`,
        { key, condition: unknown },
        `search ${unknown} too, and name it before ${key}`,
      );
    earlier.push(key);
  }
}

function checkDomain({ key, domain }: Parameter): void {
  if (domain.kind === "choice") {
    if (domain.values.length === 0) throw new ConfigError(`${key} has no values to choose from`, { key }, "give one");
    return;
  }
  const wrong = wrongRange(domain);
  if (wrong !== undefined)
    throw new ConfigError(
      `the range of ${key} is ${domain.min} to ${domain.max}, expected ${wrong}`,
      { key, min: domain.min, max: domain.max },
      "change its ends",
    );
}

function wrongRange({ min, max, log, integer }: Range): string | undefined {
  if (!Number.isFinite(min) || !Number.isFinite(max)) return "finite numbers";
  if (!Number.isFinite(max - min)) return "ends less far apart";
  if (min > max) return "the smaller number first";
  if (log && min <= 0) return "positive numbers, as it is logarithmic";
  return integer && !(Number.isSafeInteger(min) && Number.isSafeInteger(max)) ? "whole numbers below 2^53" : undefined;
}
