/**
 * A haystack as pieces of text, sentences as a rule, and needles between or inside them.
 *
 * Depth is measured in units (words; characters of scripts without spaces), never in pieces: a text of few long sentences has
 * few borders, and all of them may lie near its beginning.
 */
import { UNSPACED, hasUnspaced } from '../scripts.js';

export interface Piece {
  readonly text: string;
  readonly units: number;
  /** What stands between the piece before it and this one. */
  readonly glue: '' | ' ' | '\n';
}

/** A place before unit `unit` of piece `piece`; behind all pieces where `piece` is their number. */
export interface Place {
  readonly piece: number;
  readonly unit: number;
}

export interface Placed {
  readonly text: string;
  /** Where each needle stands, in per cent of the text's units, in the order of the needles. */
  readonly depths: readonly number[];
}

/** Share of the text within which the end of a sentence is near enough to a depth. */
const NEAR = 0.02;

const UNITS = new RegExp(
  `[${UNSPACED}]\\p{M}*[^\\p{L}\\p{N}\\s]*|[^\\s${UNSPACED}]*[\\p{L}\\p{N}][^\\s${UNSPACED}]*|[^\\s${UNSPACED}]+`,
  'gu',
);
const INNER_END = /(?<=[.!?]["'”’]?) /gu;

/** The words of a text whose white space is single spaces; characters where a script has no spaces. */
function unitsOf(text: string): number[] {
  if (!hasUnspaced(text)) {
    const starts = [0];
    for (let at = text.indexOf(' '); at >= 0; at = text.indexOf(' ', at + 1)) starts.push(at + 1);
    return starts;
  }
  return Array.from(text.matchAll(UNITS), ({ index }) => index);
}

/** A text whose white space is single spaces, not empty. */
export function pieceOf(text: string, glue: Piece['glue']): Piece {
  return { text, units: unitsOf(text).length, glue };
}

/** The first `count` units of a piece, at least one. */
export function cutPiece(piece: Piece, count: number): Piece {
  if (count >= piece.units) return piece;
  return { ...piece, text: headOf(piece.text, count).trimEnd(), units: count };
}

function headOf(text: string, count: number): string {
  return text.slice(0, unitsOf(text)[count]);
}

export function joinPieces(pieces: readonly Piece[]): string {
  return pieces.map(({ text, glue }, i) => (i === 0 ? text : glue + text)).join('');
}

/** The pieces before a place and those behind it; one that it lies in is cut. */
export function splitPieces(pieces: readonly Piece[], { piece, unit }: Place): [Piece[], Piece[]] {
  const inside = pieces[piece];
  if (unit === 0 || inside === undefined) return [pieces.slice(0, piece), pieces.slice(piece)];
  const head = headOf(inside.text, unit);
  const rest = inside.text.slice(head.length);
  const glue = head.endsWith(' ') ? ' ' : '';
  return [
    [...pieces.slice(0, piece), { ...inside, text: head.trimEnd(), units: unit }],
    [{ text: rest, units: inside.units - unit, glue }, ...pieces.slice(piece + 1)],
  ];
}

/**
 * Where a depth is: the last end of a piece at or before it, or the next one, where that is near enough; else the nearest end
 * of a sentence inside the piece, or the border of a word.
 *
 * @param depth per cent of the units
 */
export function placeAt(pieces: readonly Piece[], depth: number): Place {
  const ends = [0];
  for (const { units } of pieces) ends.push(ends.at(-1)! + units);
  const total = ends.at(-1)!;
  const wanted = (total * depth) / 100;
  const near = total * NEAR;
  const piece = ends.findLastIndex((end) => end <= wanted);
  if (wanted - ends[piece]! <= near) return { piece, unit: 0 };
  if (ends[piece + 1]! - wanted <= near) return { piece: piece + 1, unit: 0 };
  const unit = nearestBorder(pieces[piece]!.text, wanted - ends[piece]!, near);
  return { piece, unit };
}

function nearestBorder(text: string, wanted: number, near: number): number {
  const starts = unitsOf(text);
  const ends = Array.from(text.matchAll(INNER_END), ({ index }) => starts.indexOf(index + 1));
  const end = ends.reduce((best, at) => (Math.abs(at - wanted) < Math.abs(best - wanted) ? at : best), 0);
  return Math.abs(end - wanted) <= near ? end : Math.round(wanted);
}

/** The pieces with `needles[i]` at `places[i]`; places ascend. */
export function withNeedles(
  pieces: readonly Piece[],
  needles: readonly string[],
  places: readonly Place[],
): Placed {
  const total = pieces.reduce((sum, { units }) => sum + units, 0);
  const depths: number[] = [];
  const own = pieces[1]?.glue ?? pieces[0]?.glue ?? ' ';
  let text = '';
  const add = (part: string, glue: string): void => {
    text += text === '' ? part : glue + part;
  };
  let before = 0;
  let left: readonly Piece[] = pieces;
  let gone: Place = { piece: 0, unit: 0 };
  let behindNeedle = false;
  const addAll = (some: readonly Piece[]): void => {
    for (const piece of some) {
      add(piece.text, behindNeedle ? piece.glue || ' ' : piece.glue);
      behindNeedle = false;
      before += piece.units;
    }
  };
  for (const [i, place] of places.entries()) {
    const unit = place.piece === gone.piece ? place.unit - gone.unit : place.unit;
    const [head, rest] = splitPieces(left, { piece: place.piece - gone.piece, unit });
    addAll(head);
    add(needles[i]!, (rest[0]?.glue ?? own) || ' ');
    behindNeedle = true;
    depths.push((100 * before) / total);
    left = rest;
    gone = place;
  }
  addAll(left);
  return { text, depths };
}
