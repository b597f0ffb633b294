/**
 * From a plot's specification to SVG.
 *
 * The same specification gives the same bytes: widths of text are estimated, not measured with a font that happens to be
 * installed.
 */
import type { Plot } from './types.js';

interface VegaInternals {
  readonly textMetrics: { canvas(use: boolean): void };
  resetSVGDefIds(): void;
}

/** The plot as an SVG document, ending in a newline; its background is transparent, its ink `currentColor`. */
export async function renderSvg({ spec }: Pick<Plot, 'spec'>): Promise<string> {
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  // Not in vega's typings: the switch for the canvas package, and the counter of identifiers.
  const internals = vega as unknown as VegaInternals;
  internals.textMetrics.canvas(false);
  const warnings: string[] = [];
  const logger = vega.logger(vega.Warn, undefined, (_method, _level, args) => {
    warnings.push(args.map(String).join(' '));
  });
  const compiled = compile(spec, { logger }).spec;
  const view = new vega.View(vega.parse(compiled), { renderer: 'none', logger });
  try {
    await view.runAsync();
    // Nothing may wait between these two: the counter is the module's.
    internals.resetSVGDefIds();
    const svg = await view.toSVG();
    if (warnings.length > 0) throw new Error(`the plot's specification has a fault: ${warnings.join('; ')}`);
    return `${svg}\n`;
  } finally {
    view.finalize();
  }
}

/** The plot as a file of its own: on white, whatever shows it. */
export function standalone(svg: string): string {
  return svg.replace(/^<svg ([^>]*)>/, '<svg $1><rect width="100%" height="100%" fill="white"/>');
}
