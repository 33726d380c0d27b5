/** Text without characters that neither a drawing nor a page can hold: control characters, but for line ends and tabs, and half pairs. */
export const printable = (text: string): string => text.replace(/[^\P{Cc}\n\t]|\p{Cs}/gu, "\uFFFD");

/** The same for one line of a terminal: without line ends and tabs, and without marks that turn the order of what follows. */
export const oneLine = (text: string): string =>
  printable(text).replace(/[\n\t\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\uFFFD");
