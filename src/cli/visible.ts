/**
 * What scripts and models have written, as it may go to a stream: on a terminal, all that could move the cursor, write to the clipboard or hide text
 * is shown as an escape such as `\u{1b}`; lines, tabs and colours stay. A file or pipe gets it as it is.
 */
export function visible(text: string, { isTTY }: { readonly isTTY?: boolean | undefined }): string {
  if (!isTTY) return text;
  // Colours, and characters that a terminal obeys: control characters and those that turn the direction of writing.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  const obeyed = /\x1b\[[\d;:]*m|\r\n|[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
  return text.replaceAll(obeyed, (found) => (found.length > 1 || found === '\n' || found === '\t' ? found : escaped(found)));
}

/** The same of what somebody has to judge by reading it: everything that could not be seen is shown, wherever it goes, and nothing is left of colours. */
export function revealed(text: string): string {
  return text.replaceAll(/[^\P{C}\n]/gu, escaped);
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
