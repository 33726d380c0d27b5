/** Text without characters that neither a drawing nor a page can hold: control characters, but for line ends and tabs, and half pairs. */
export const printable = (text: string): string => text.replace(/[^\P{Cc}\n\t]|\p{Cs}/gu, "\uFFFD");
