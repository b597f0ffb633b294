/**
 * A hub that answers in small pieces, so that a pull has a middle.
 *
 * The files are those of `test/pull/support.ts`.
 */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startHub, type FakeHub } from '../../pull/support.js';

const PIECE_BYTES = 16_384;
const PAUSE_MS = 8;

export interface SlowHub {
  readonly hub: FakeHub;
  readonly url: string;
  /** Bytes of files sent so far. */
  readonly sent: () => number;
  readonly close: () => void;
}

/** Passes everything on to a hub of its own, slowly where it is long. */
export async function startSlowHub(): Promise<SlowHub> {
  const hub = await startHub();
  let sent = 0;
  const server = createServer((incoming, outgoing) => {
    const { url: path, method, headers } = incoming;
    const passed = request(new URL(path ?? '/', hub.url), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      void (async () => {
        for await (const chunk of answer as AsyncIterable<Buffer>) {
          for (let at = 0; at < chunk.length && !outgoing.destroyed; at += PIECE_BYTES) {
            const piece = chunk.subarray(at, at + PIECE_BYTES);
            outgoing.write(piece);
            if (path?.includes('/resolve/') === true) sent += piece.length;
            if (piece.length === PIECE_BYTES) await sleep(PAUSE_MS);
          }
        }
        outgoing.end();
      })().catch(() => outgoing.destroy());
    });
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  return {
    hub,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent: () => sent,
    close: () => {
      hub.close();
      server.closeAllConnections();
      server.close();
    },
  };
}
