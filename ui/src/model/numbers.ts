// Columns of numbers: new ones, and the check that makes one safe to follow.

import { fail } from "./container";

export function zeros(count: number): Uint32Array<ArrayBuffer> {
  return new Uint32Array(count);
}

export function checkBelow(column: Uint32Array, bound: number, what: string): void {
  for (let i = 0; i < column.length; i++) {
    if (column[i]! >= bound) fail(`${what} points outside the data (entry ${i})`);
  }
}
