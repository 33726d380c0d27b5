import pc from "picocolors";

/** Colours on a terminal, and never where NO_COLOR asks for none: files and CI logs get plain text that can be matched. */
export const colorsFor = (stream: { readonly isTTY?: boolean }) =>
  pc.createColors(stream.isTTY === true && pc.isColorSupported);

/** For stderr, where nearly everything for people goes. */
export const colors = colorsFor(process.stderr);
