import type { CommanderError } from "commander";

const helpOf = (command: string | undefined): string =>
  command === undefined ? "eigensam --help lists the commands" : `eigensam ${command} --help lists what it takes`;

interface Rewriting {
  /** What commander says; it gives codes, but what was given only in words. */
  readonly says: RegExp;
  what(...parts: string[]): string;
}

/** Commander's errors in our words, by its codes. */
export const misuses: Readonly<Record<string, Rewriting>> = {
  "commander.invalidArgument": {
    says: /^(?:option '(.*?)' argument|command-argument value) '.*?' is invalid(?: for argument '(.*?)')?\. (.*)$/s,
    what: (option, argument, reason) => `${optionName(option) || argument} ${reason}`,
  },
  "commander.unknownOption": {
    says: /^unknown option '(.*)'(.*)$/s,
    what: (o, near) => `there is no option ${o}${near}`,
  },
  "commander.unknownCommand": {
    says: /^unknown command '(.*)'(.*)$/s,
    what: (command, near) => `there is no command ${command}${near}`,
  },
  "commander.missingArgument": {
    says: /^missing required argument '(.*)'$/s,
    what: (name) => `the argument <${name}> is missing`,
  },
  "commander.optionMissingArgument": {
    says: /^option '(.*)' argument missing$/s,
    what: (option) => `${optionName(option)} needs a value: ${option}`,
  },
  "commander.conflictingOption": {
    says: /^option '(.*)' cannot be used with option '(.*)'$/s,
    what: (option, other) => `${optionName(option)} and ${optionName(other)} cannot be given together`,
  },
  "commander.excessArguments": {
    says: /^too many arguments(?: for '(.*)')?\. Expected (\d+) arguments? but got (\d+).*$/s,
    what: (command, expected, got) =>
      `${got} arguments were given, but ${command || "eigensam"} takes ${expected} at most`,
  },
};

/** "-o, --out <dir>" → "--out". */
const optionName = (flags = ""): string => /--[\w-]+/.exec(flags)?.[0] ?? flags;

/** A misuse of the command line: what was given, what is allowed, and where help is. */
export function misuse({ code, message }: CommanderError, args: readonly string[]): string {
  const help = helpOf(code === "commander.unknownCommand" || args[0]?.startsWith("-") ? undefined : args[0]);
  const said = message.replace(/^error: /, "").trim();
  const rewriting = misuses[code];
  const parts = rewriting?.says.exec(said)?.slice(1);
  if (rewriting === undefined || parts === undefined) return `${said}\n  hint: ${help}`;
  // "(Did you mean x?)" stands on a line of its own.
  const [what, ...near] = rewriting.what(...parts.map((part) => part ?? "")).split(/\n?\s*\((?=Did you mean)/);
  const suggestion =
    near.length > 0 ? `did you mean ${near.join("").replace(/^Did you mean (one of )?|\)$/g, "")}` : help;
  return `${what}\n  hint: ${suggestion}`;
}
