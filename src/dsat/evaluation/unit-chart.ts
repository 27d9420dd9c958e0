/** A chart whose axes both go from 0 to 1. */
export interface UnitChart {
  title: string;
  x: string;
  y: string;
  series: Series[];
}

export interface Series {
  name: string;
  colour: string;
  points: Point[];
  /** A line through the points, a dashed one, or a dot at each. */
  as: 'line' | 'dashes' | 'dots';
}

export interface Point {
  x: number;
  y: number;
  /** Of a dot, in pixels. */
  radius?: number;
  /** Shown while one points at the dot. */
  note?: string;
}

/** In pixels. The plot is square, as its axes are alike. */
const PLOT = 420;
const LEFT = 64;
const TOP = 48;
const LEGEND_LINE = 20;
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];
const FONT = 'font-family="sans-serif" font-size="13" fill="#222"';

/** The chart as a whole SVG document. */
export function renderUnitChart({ title, x, y, series }: UnitChart): string {
  const legendTop = TOP + PLOT + 70;
  const [width, height] = [LEFT + PLOT + 32, legendTop + series.length * LEGEND_LINE];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(LEFT, 26, title, 'font-weight="bold"'),
    ...TICKS.flatMap(tick),
    `<rect x="${LEFT}" y="${TOP}" width="${PLOT}" height="${PLOT}" fill="none" stroke="#444"/>`,
    text(LEFT + PLOT / 2, TOP + PLOT + 44, x, 'text-anchor="middle"'),
    text(20, TOP + PLOT / 2, y, `text-anchor="middle" transform="rotate(-90 20 ${TOP + PLOT / 2})"`),
    ...series.map(draw),
    ...series.flatMap((one, at) => legend(one, legendTop + at * LEGEND_LINE)),
    '</svg>\n',
  ].join('\n');
}

const across = (value: number) => round(LEFT + value * PLOT);
const up = (value: number) => round(TOP + (1 - value) * PLOT);
const round = (value: number) => Math.round(value * 10) / 10;

function tick(value: number): string[] {
  const grid = 'stroke="#ddd"';
  return [
    `<path d="M${across(value)} ${TOP}v${PLOT}M${LEFT} ${up(value)}h${PLOT}" ${grid}/>`,
    text(across(value), TOP + PLOT + 20, value.toFixed(1), 'text-anchor="middle"'),
    text(LEFT - 8, up(value) + 4, value.toFixed(1), 'text-anchor="end"'),
  ];
}

function draw({ points, as, colour }: Series): string {
  if (as === 'dots') return points.map((point) => dot(point, colour)).join('\n');
  const path = points.map(({ x, y }) => `${across(x)},${up(y)}`).join(' ');
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"${as === 'dashes' ? ' stroke-dasharray="6 5"' : ''}/>`;
}

function dot({ x, y, radius = 5, note }: Point, colour: string): string {
  const title = note === undefined ? '' : `<title>${escaped(note)}</title>`;
  return `<circle cx="${across(x)}" cy="${up(y)}" r="${round(radius)}" fill="${colour}" fill-opacity="0.8">${title}</circle>`;
}

function legend({ name, colour, as }: Series, y: number): string[] {
  const dashes = as === 'dashes' ? ' stroke-dasharray="6 5"' : '';
  const sign =
    as === 'dots'
      ? `<circle cx="${LEFT + 12}" cy="${y - 4}" r="5" fill="${colour}" fill-opacity="0.8"/>`
      : `<path d="M${LEFT} ${y - 4}h24" stroke="${colour}" stroke-width="2"${dashes}/>`;
  return [sign, text(LEFT + 34, y, name)];
}

function text(x: number, y: number, content: string, more = ''): string {
  return `<text x="${x}" y="${y}" ${FONT} ${more}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
