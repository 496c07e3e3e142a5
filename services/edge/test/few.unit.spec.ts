import { describe, expect, it } from 'vitest';
import { Few } from '../src/socket/few.ts';

const thing = (key: string, note = '') => ({ key, note });

describe('few things by their keys', () => {
  it('are like those of a map, whatever is put in and taken out', () => {
    const few = new Few<{ key: string; note: string }>();
    const map = new Map<string, { key: string; note: string }>();
    let seed = 7;
    for (let step = 0; step < 2_000; step++) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      const key = `k${seed % 5}`;
      const held = map.get(key);
      if (held && seed % 3 === 0) {
        few.delete(held);
        map.delete(key);
      } else if (!held) {
        const made = thing(key, String(step));
        few.set(made);
        map.set(key, made);
      }
      expect(few.values()).toEqual([...map.values()]);
      expect(few.size).toBe(map.size);
      expect(few.get(key)).toBe(map.get(key));
      expect(few.first).toBe([...map.values()][0]);
    }
  });

  it('give way only for the one that is meant, and keep the place of one that is replaced', () => {
    const few = new Few<{ key: string; note: string }>();
    const [old, other, young] = [thing('a', 'old'), thing('b'), thing('a', 'young')];
    few.set(old);
    few.set(other);
    few.set(young);
    few.delete(old);
    expect(few.values()).toEqual([young, other]);
    few.delete(thing('b'));
    expect(few.has('b')).toBe(true);
  });
});
