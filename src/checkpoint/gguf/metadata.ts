/**
 * Typed access to the metadata of a GGUF file.
 *
 * A missing key or a value of the wrong type is one error that names the key.
 */
import { UserError } from '../../base/errors.js';
import type { GgufValue } from './cursor.js';

export class GgufMetadata {
  constructor(
    private readonly values: ReadonlyMap<string, GgufValue>,
    /** The file, for errors. */
    readonly place: string,
  ) {}

  has(key: string): boolean {
    return this.values.has(key);
  }

  number(key: string): number {
    return this.required(key, this.optionalNumber(key));
  }

  optionalNumber(key: string): number | undefined {
    const value = this.values.get(key);
    if (value === undefined || typeof value === 'number') return value;
    throw this.wrong(key, 'a number', value);
  }

  /** A whole number of at least 1. */
  size(key: string): number {
    return this.expectSize(key, this.number(key));
  }

  /** The same, which may be an array that says so for each layer. */
  uniformSize(key: string): number {
    return this.expectSize(key, this.uniformNumber(key));
  }

  /** A number, or an array that gives the same number for each layer. */
  uniformNumber(key: string): number {
    const value = this.required(key, this.values.get(key));
    if (!Array.isArray(value)) return this.number(key);
    const [first] = value as readonly GgufValue[];
    if (typeof first !== 'number' || value.some((v) => v !== first)) {
      throw this.fault(`${key}: layers that differ are not supported`);
    }
    return first;
  }

  string(key: string): string {
    return this.required(key, this.optionalString(key));
  }

  optionalString(key: string): string | undefined {
    const value = this.values.get(key);
    if (value === undefined || typeof value === 'string') return value;
    throw this.wrong(key, 'a string', value);
  }

  optionalBoolean(key: string): boolean | undefined {
    const value = this.values.get(key);
    if (value === undefined || typeof value === 'boolean') return value;
    throw this.wrong(key, 'true or false', value);
  }

  strings(key: string): readonly string[] {
    return this.arrayOf(key, 'strings', (v) => typeof v === 'string');
  }

  numbers(key: string): readonly number[] {
    return this.arrayOf(key, 'numbers', (v) => typeof v === 'number');
  }

  fault(message: string, hint?: string): UserError {
    return new UserError(message, { place: this.place, ...(hint === undefined ? {} : { hint }) });
  }

  private arrayOf<T extends GgufValue>(
    key: string,
    what: string,
    is: (v: GgufValue) => v is GgufValue & T,
  ): T[] {
    const value = this.required(key, this.values.get(key));
    const items = Array.isArray(value) ? (value as readonly GgufValue[]).filter(is) : [];
    if (!Array.isArray(value) || items.length !== value.length)
      throw this.wrong(key, `an array of ${what}`, value);
    return items;
  }

  private expectSize(key: string, value: number): number {
    if (Number.isInteger(value) && value >= 1) return value;
    throw this.fault(`${key}: expected a whole number of at least 1, got ${value}`);
  }

  private required<T>(key: string, value: T | undefined): T {
    if (value === undefined) throw this.fault(`has no metadata key "${key}"`);
    return value;
  }

  private wrong(key: string, expected: string, value: GgufValue): UserError {
    return this.fault(
      `${key}: expected ${expected}, got ${Array.isArray(value) ? 'an array' : typeof value}`,
    );
  }
}
