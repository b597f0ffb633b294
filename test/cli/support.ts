/** Runs the command line in this process and keeps what it writes. */
export interface Told {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A stream that keeps what is written to it; not a terminal. */
export class Sink {
  text = '';
  readonly isTTY = false;
  write(chunk: string): boolean {
    this.text += chunk;
    return true;
  }
  asStream(): NodeJS.WriteStream {
    return this as unknown as NodeJS.WriteStream;
  }
}

/** What the command answers. The program is imported here, so that all of it is loaded as it loads itself. */
export async function tell(...args: string[]): Promise<Told> {
  const [{ main }, { Session }] = await Promise.all([
    import('../../src/cli/main.js'),
    import('../../src/cli/session.js'),
  ]);
  const [out, err] = [new Sink(), new Sink()];
  const code = await main(args, new Session(args, out.asStream(), err.asStream()));
  return { code, out: out.text, err: err.text };
}
