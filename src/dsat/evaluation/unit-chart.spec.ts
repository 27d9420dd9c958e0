import { describe, expect, it } from 'vitest';
import { renderUnitChart } from './unit-chart.js';

const chart = renderUnitChart({
  title: 'A & B',
  x: 'recall',
  y: 'precision',
  series: [
    {
      name: 'a <line>',
      colour: '#000',
      as: 'line',
      points: [
        { x: 0, y: 0 },
        { x: 1, y: 1 },
      ],
    },
    { name: 'dots', colour: '#111', as: 'dots', points: [{ x: 0.5, y: 0.25, note: '3 turns' }] },
  ],
});

describe('renderUnitChart', () => {
  it('draws each point at its place, from the lower left to the upper right', () => {
    expect(chart).toContain('points="64,468 484,48"');
    expect(chart).toMatch(/<circle cx="274" cy="363" r="5" [^>]*><title>3 turns<\/title>/);
  });

  it('names the axes, their ends and every series', () => {
    for (const text of ['>recall<', '>precision<', '>0.0<', '>1.0<', '>a &lt;line&gt;<', '>dots<', '>A &amp; B<']) {
      expect(chart).toContain(text);
    }
  });

  it('closes every tag that it opens', () => {
    const open = chart.match(/<[a-z]+[^>]*[^/]>|<[a-z]+>/g)!.length;
    expect(chart.match(/<\/[a-z]+>/g)).toHaveLength(open);
  });
});
