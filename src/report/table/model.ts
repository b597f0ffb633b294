/**
 * A table before it is written: cells with their text, rows in sections, notes below.
 *
 * Formats and contents stay apart.
 */
import type { Align } from '../text-table.js';

export interface TableCell {
  readonly text: string;
  /** The number behind the text, full precision, where there is one. */
  readonly value?: number | undefined;
  /**
   * Where the text tells several numbers: each by what its column is called behind the title of this one, such as
   * `{ low: 44.7, high: 92.8 }`; an empty name is the title alone. The cells of a column have the same names.
   */
  readonly parts?: Readonly<Record<string, number | undefined>>;
  /** Footnotes, by the marks of `notes`. */
  readonly marks?: readonly string[];
}

export interface TableSection {
  /** Above its rows; empty where the table has one section. */
  readonly title: string;
  readonly rows: readonly (readonly TableCell[])[];
}

export interface Table {
  readonly title: string;
  readonly header: readonly string[];
  readonly align: readonly Align[];
  readonly sections: readonly TableSection[];
  readonly notes: readonly { readonly mark?: string; readonly text: string }[];
}

/** Stands where there is no number. */
export const GAP = '–';

export function words(text: string, marks: readonly string[] = []): TableCell {
  return marks.length === 0 ? { text } : { text, marks };
}

/** A number with its digits; a gap where there is none. */
export function number(value: number | undefined, digits = 2): TableCell {
  return value === undefined ? { text: GAP } : { text: fixed(value, digits), value };
}

/** Two bounds, `44.69 to 92.81`; a gap where there are none. */
export function range(bounds: readonly [number, number] | undefined, digits = 2): TableCell {
  const text = bounds === undefined ? GAP : bounds.map((bound) => fixed(bound, digits)).join(' to ');
  return { text, parts: { low: bounds?.[0], high: bounds?.[1] } };
}

/** What is there of what was asked for: `12`, or `7/12` where something is missing. */
export function count(done: number, asked: number): TableCell {
  const text = done === asked ? String(done) : `${done}/${asked}`;
  return { text, value: done, parts: { '': done, asked } };
}

/** A number that always shows its sign. */
export function signed(value: number | undefined, digits = 2, remark = ''): TableCell {
  if (value === undefined) return { text: GAP };
  const text = fixed(value, digits);
  const sign = value > 0 && Number(text) !== 0 ? '+' : '';
  return { text: `${sign}${text}${remark === '' ? '' : ` ${remark}`}`, value };
}

/** Fixed digits, without a negative zero. */
function fixed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : text;
}
