/** The files that arguments name with --plugin; it is read before the command line is, because commands list what plugins declare. */
export const pluginFilesIn = (args: readonly string[]): string[] =>
  args.flatMap((arg, i) => {
    const file = arg === "--plugin" ? args[i + 1] : /^--plugin=(.*)/s.exec(arg)?.[1];
    return file === undefined ? [] : [file];
  });
