import { stripVTControlCharacters } from "node:util";

/** What a terminal draws in two columns: East Asian wide characters and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const NONE = /\p{Mn}|\p{Me}|\p{Cf}/u;

const widthOfCharacter = (character: string): number => (NONE.test(character) ? 0 : WIDE.test(character) ? 2 : 1);

/** Columns that a text takes on a terminal, without its colours. */
export const widthOf = (text: string): number =>
  [...stripVTControlCharacters(text)].reduce((sum, character) => sum + widthOfCharacter(character), 0);

/** The beginning of a text that fits so many columns, without its colours. */
export function cutTo(text: string, columns: number): string {
  let [kept, width] = ["", 0];
  for (const character of stripVTControlCharacters(text)) {
    width += widthOfCharacter(character);
    if (width > columns) break;
    kept += character;
  }
  return kept;
}

/** A text in lines of so many columns at most, broken at spaces; all but the first begin with `indent` spaces. A longer word stays whole. */
export function folded(text: string, columns: number, indent: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/(?<=\S) (?=\S)/)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line === "" || widthOf(longer) <= columns) line = longer;
    else {
      lines.push(line);
      line = `${" ".repeat(indent)}${word}`;
    }
  }
  return [...lines, line];
}
