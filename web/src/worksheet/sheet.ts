/** What a worksheet is made of, whatever its film is. */
import type { Explanation, Message, Target } from "../model/explanation";
import { decimals } from "../model/format";
import type { Kind } from "./address";

export const DIGITS = 4;

export interface Cell {
  value: number;
  /** What it is called among the blanks. */
  id: string;
}

export interface Table {
  title: Message | string;
  /** Heads of columns; TeX between dollar signs. */
  heads: string[];
  rows: { head: string; cells: (Cell | null)[] }[];
}

export interface Blank {
  letter: string;
  kind: Kind;
  id: string;
  /** TeX of what is asked, and the formula it follows from. */
  name: string;
  formula: string;
  /** Message key of the step of an update that is asked; null for all that is no update. */
  step: string | null;
  /** The terms of its sum that stand nowhere on the sheet, as one number; null where all of them do. */
  rest: number | null;
}

export interface Answer {
  value: number;
  why: Explanation;
}

export interface Candidate extends Answer, Omit<Blank, "letter"> {}

/** What can be chosen to stand on a sheet: time steps of a cell, or operations of a graph, from 1; and units, or elements of an axis, from 0. */
export interface Extent {
  from: number;
  to: number;
  /** How many there are, and how many a sheet has at most. */
  length: number;
  most: number;
  units: number[];
  /** 0: nothing on this sheet is so long that a choice is needed. */
  unitCount: number;
}

/** The parts of a sheet before any blank is chosen. */
export interface Draft {
  tables: Table[];
  /** TeX of what stands in the tables under a number in place of a name. */
  definitions: string[];
  candidates: Candidate[];
  extent: Extent;
}

export const written = (value: number): string => decimals(value, DIGITS);

export const idOf = ({ kind, node, index }: Target, rung = ""): string => `${kind}:${node}:${index.join(",")}${rung && `:${rung}`}`;

/** What is left of a sum without the terms that stand on the sheet; null where only rounding is left. */
export function restOf(value: number, terms: readonly number[]): number | null {
  const rest = value - terms.reduce((sum, term) => sum + term, 0);
  const scale = terms.reduce((sum, term) => sum + Math.abs(term), Math.abs(value));
  return Math.abs(rest) > 1e-12 * scale ? rest : null;
}
