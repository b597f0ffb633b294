/**
 * From SVG to PNG, where a renderer is installed.
 *
 * `@resvg/resvg-js` is optional, because nothing in this package draws pixels.
 */
import { UserError } from '../../base/errors.js';

const PACKAGE: string = '@resvg/resvg-js';

/** What is used of it. */
export interface PngRenderer {
  readonly Resvg: new (
    svg: string,
    options: {
      readonly fitTo: { readonly mode: 'zoom'; readonly value: number };
      readonly font: { readonly defaultFontFamily: string };
    },
  ) => {
    render(): { asPng(): Uint8Array };
  };
}

/** Pixels of the picture per pixel of the plot. */
const ZOOM = 2;

/**
 * Opens the renderer.
 *
 * @throws UserError (exit code 2) where it is not installed
 */
export async function openPngRenderer(
  load: () => Promise<unknown> = () => import(PACKAGE),
): Promise<PngRenderer> {
  try {
    return (await load()) as PngRenderer;
  } catch (error) {
    throw new UserError(`--png needs the package ${PACKAGE}, which is not installed`, {
      hint: `npm install ${PACKAGE}; or open the SVG in a browser, which can save it as a picture.`,
      exitCode: 2,
      cause: error,
    });
  }
}

export function renderPng({ Resvg }: PngRenderer, svg: string): Uint8Array {
  const options = {
    fitTo: { mode: 'zoom', value: ZOOM },
    font: { defaultFontFamily: 'DejaVu Sans' },
  } as const;
  return new Resvg(svg, options).render().asPng();
}
