import { expect } from 'chai';
import { ropeFrequencies } from '../../src/checkpoint/rope-frequencies.js';
import { ropeTable, rotateHeads, Rotations } from '../../src/model/rope.js';
import type { Rope } from '../../src/checkpoint/types.js';

const rope: Rope = { theta: 10000, width: 8, pairing: 'half', scaling: undefined };
const rotation = { frequencies: ropeFrequencies(rope, 1), factor: 1, pairing: 'half' } as const;

describe('rope', () => {
  it('gives theta^(-2j/D)', () => {
    const frequencies = ropeFrequencies(rope, 1);
    expect([...frequencies].map((f) => Math.log10(f))).to.satisfy((logs: number[]) =>
      logs.every((log, j) => Math.abs(log + j) < 1e-6),
    );
  });

  it('llama3 scaling keeps the fast channels, divides the slow ones by the factor, and blends between', () => {
    const scaling = {
      kind: 'llama3',
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositions: 128,
    } as const;
    const scaled = ropeFrequencies({ ...rope, scaling }, 1);
    const plain = ropeFrequencies(rope, 1);
    expect(scaled[0]).to.equal(plain[0]);
    expect(scaled[3]! / plain[3]!).to.be.closeTo(1 / 8, 1e-6);
    expect(scaled[1]! / plain[1]!).to.be.within(1 / 8, 1);
  });

  it('turns each half-split pair by position × frequency', () => {
    const table = ropeTable({ ...rotation, frequencies: Float32Array.of(0.5, 0.25) }, 3, 2);
    const x = Float32Array.of(1, 0, 0, 1);
    rotateHeads(x, 0, 1, 4, table, 1);
    expect(x[0]).to.be.closeTo(Math.cos(2), 1e-6);
    expect(x[2]).to.be.closeTo(Math.sin(2), 1e-6);
    expect(x[1]).to.be.closeTo(-Math.sin(1), 1e-6);
    expect(x[3]).to.be.closeTo(Math.cos(1), 1e-6);
  });

  it('makes the dot product depend on the distance alone', () => {
    const dotAt = (a: number, b: number): number => {
      const q = Float32Array.from({ length: 8 }, (_, i) => Math.sin(i + 1));
      const k = Float32Array.from({ length: 8 }, (_, i) => Math.cos(3 * i));
      rotateHeads(q, 0, 1, 8, ropeTable(rotation, a, 1), 0);
      rotateHeads(k, 0, 1, 8, ropeTable(rotation, b, 1), 0);
      return q.reduce((total, value, i) => total + value * k[i]!, 0);
    };
    expect(dotAt(10, 4)).to.be.closeTo(dotAt(46, 40), 1e-5);
  });

  it('turns neighbours where pairs are interleaved, leaves the rest of the head, and scales', () => {
    const table = ropeTable({ frequencies: Float32Array.of(0.5), factor: 2, pairing: 'interleaved' }, 3, 1);
    const x = Float32Array.of(1, 0, 7, 8);
    rotateHeads(x, 0, 1, 4, table, 0);
    expect(x[0]).to.be.closeTo(2 * Math.cos(1.5), 1e-6);
    expect(x[1]).to.be.closeTo(2 * Math.sin(1.5), 1e-6);
    expect([...x.subarray(2)]).to.deep.equal([7, 8]);
  });

  it('chooses LongRoPE once, by the longest length, or for each token where that is not known', () => {
    const scaling = {
      kind: 'longrope',
      shortFactor: [1, 1, 1, 1],
      longFactor: [2, 2, 2, 2],
      originalMaxPositions: 10,
      attentionFactor: 1.5,
    } as const;
    const rotations = new Rotations({ ropes: [{ ...rope, scaling }] });
    const firstSin = (reach: number | undefined): number[] => {
      const { sin, half } = rotations.tables(9, 2, reach)[0]!;
      return [sin[0]!, sin[half]!];
    };
    const at = (position: number, factor: number): number => 1.5 * Math.sin(position / factor);
    expect(firstSin(undefined)[0]).to.be.closeTo(at(9, 1), 1e-6);
    expect(firstSin(undefined)[1]).to.be.closeTo(at(10, 2), 1e-6);
    expect(firstSin(11)[0]).to.be.closeTo(at(9, 2), 1e-6);
    expect(firstSin(10)[1]).to.be.closeTo(at(10, 1), 1e-6);
  });
});
