const LINK = /\]\(([^)\s#]+)(?:#[^)\s]*)?\)/g;

/** The relative links of a Markdown text whose target does not exist. */
export const brokenLinks = (text: string, exists: (path: string) => boolean): string[] =>
  [...text.matchAll(LINK)].map(([, target]) => target!).filter((target) => !/^[a-z]+:/.test(target) && !exists(target));
