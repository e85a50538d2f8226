/** What the server says of a file or a choice, in the catalogue's words: it speaks English alone. */
import { t } from "../../../i18n/index.svelte";

/** The field of the choice that is to be changed. */
export type Field = "text" | "label" | "column" | "window";

export interface Told {
  text: string;
  /** The catalogue has no words for it: the text is the server's, in English. */
  english: boolean;
  field: Field | null;
}

/** Sentences of server/datasets and server/tasks/own_data.py. A named part goes into the message. */
const SENTENCES: readonly { is: RegExp; key: string; field?: Field }[] = [
  { is: /^this row has (?<given>[\d,]+) cells, expected (?<expected>[\d,]+); it is left out$/, key: "own.told.cells" },
  { is: /^only the first (?<most>[\d,]+) rows are taken; the rest is left out$/, key: "own.told.rows" },
  { is: /^the quote that is opened in this row is never closed/, key: "own.told.unclosed" },
  { is: /^something follows a closing quote in this row/, key: "own.told.after_quote" },
  { is: /^a cell (?:has more than [\d,]+ characters|of this row is too long)/, key: "own.told.long_cell" },
  { is: /^this cell is empty; the row is left out$/, key: "own.told.empty" },
  { is: /^this cell is empty; windows/, key: "own.told.gap" },
  { is: /^this cell holds no number; windows/, key: "own.told.no_number" },
  { is: /^(?<given>[\d,]+) texts are longer than (?<most>\d+) characters/, key: "own.told.cut" },
  { is: /^(?<given>[\d,]+) rows repeat an earlier one/, key: "own.told.repeated" },
  { is: /^the file has (?<given>[\d,]+) bytes, at most (?<most>[\d,]+) are taken/, key: "own.told.large" },
  { is: /^this file takes more than (?<seconds>[\d.]+) s of processor time/, key: "own.told.slow" },
  { is: /^the file holds NUL bytes/, key: "own.told.no_text" },
  { is: /^the file is empty/, key: "own.told.nothing" },
  { is: /^the file (?:has no rows of data|holds no rows)/, key: "own.told.no_rows" },
  { is: /^the file is in UTF-32/, key: "own.told.utf32" },
  { is: /^byte (?<at>[\d,]+) of the file, in row (?<row>[\d,]+), is neither/, key: "own.told.encoding" },
  { is: /^the file begins as (?<name>\S+) does, but byte (?<at>[\d,]+) of it is not/, key: "own.told.broken" },
  { is: /^row (?<row>[\d,]+) has (?<given>[\d,]+) columns, at most (?<most>[\d,]+) are taken/, key: "own.told.columns" },
  { is: /^(?<given>[\d,]+) different rows have both .*, at least (?<least>[\d,]+) are needed/s, key: "own.told.few", field: "label" },
  { is: /^the column (?<column>.*) holds (?<given>[\d,]+) different labels, expected 2 to (?<most>[\d,]+) classes/s, key: "own.told.labels", field: "label" },
  { is: /^text and label are the same column/, key: "own.told.same", field: "label" },
  { is: /^a window of (?<window>\d+) needs (?<needs>\d+) numbers in a row, and the (?<part>\w+) part has (?<rows>\d+) rows/, key: "own.told.window", field: "window" },
  { is: /^the column (?<column>.*) hardly changes in its training part/s, key: "own.told.constant", field: "column" },
];
/** Sentences that end with another, which is the reason. */
const WRAPPED: readonly { is: RegExp; key: string }[] = [
  { is: /^no row of the file can be read: (?<reason>.*)$/s, key: "own.told.no_row" },
  { is: /^(?<given>[\d,]+) rows of the file cannot be taken, which is too many; the first is row (?<row>[\d,]+): (?<reason>.*)$/s, key: "own.told.too_many" },
];

export function told(message: string): Told {
  for (const { is, key } of WRAPPED) {
    const found = is.exec(message)?.groups;
    if (!found) continue;
    const reason = told(found.reason!);
    return { ...reason, text: t(key, { ...found, reason: reason.text }) };
  }
  for (const { is, key, field = null } of SENTENCES) {
    const found = is.exec(message);
    if (!found) continue;
    const { part, ...parts } = found.groups ?? {};
    return { text: t(key, { ...parts, ...(part && { part: t(`own.part.${part}`) }) }), english: false, field };
  }
  return { text: message, english: true, field: null };
}
