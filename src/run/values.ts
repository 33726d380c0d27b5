import { parse, TomlError } from "smol-toml";

/** A number as people and other programs write it: .5, 1., 1e-3, +2, 1_000. */
const NUMBER = /^[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const SWITCH = /^(?:true|false)$/i;

/**
 * The value of key=value by the type of its setting: text is taken as it stands, also where it looks like a date or a number; the rest
 * is TOML's, more freely written. What fits no reading stays text, and the schema says what it expected.
 */
export function settingValue(text: string, type: string | undefined): unknown {
  const value = parsed(text);
  if (type === "string") return typeof value === "string" ? value : text;
  if (type === "boolean" && SWITCH.test(text)) return text.toLowerCase() === "true";
  if ((type === "number" || type === "integer") && NUMBER.test(text)) return Number(text.replaceAll("_", ""));
  if (type === "array" && !Array.isArray(value)) return elements(text);
  return value;
}

/** A list as in TOML, or without its brackets; its numbers as above. */
function elements(text: string): unknown {
  const inner = text.replace(/^\[([\s\S]*)\]$/, "$1").split(",");
  const numbers = inner.map((part) => part.trim());
  return numbers.every((part) => NUMBER.test(part)) ? numbers.map((part) => Number(part.replaceAll("_", ""))) : text;
}

function parsed(text: string): unknown {
  // A line break would begin another key.
  if (text.includes("\n")) return text;
  try {
    return parse(`value = ${text}`).value;
  } catch (error) {
    // A word without quotes is what a shell leaves of one with quotes.
    if (error instanceof TomlError) return text;
    throw error;
  }
}

/** A text that is no TOML, with .5, 1. and True in the values of its lines written as TOML has them. */
export const asToml = (text: string): string =>
  text.replace(
    /^([ \t]*[\w.-]+[ \t]*=[ \t]*)([^\s#"'[\]{},]+)([ \t]*(?:#.*)?\r?)$/gm,
    (line: string, before: string, value: string, after: string) => {
      if (SWITCH.test(value)) return `${before}${value.toLowerCase()}${after}`;
      if (!NUMBER.test(value) || !/^[+-]?\.|\.(?!\d)/.test(value)) return line;
      return `${before}${value.replace(/^([+-]?)\./, "$10.").replace(/\.(?!\d)/, ".0")}${after}`;
    },
  );
