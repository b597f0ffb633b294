/** How a run tells what it is doing. Whoever starts it decides how that is shown. */
export interface Progress {
  /** Begins a run of `total` steps, `done` of which were done before. */
  start(total: number, label: string, done?: number): void;
  /** Names the long phase that has begun: loading, prefill, compressing, decoding. */
  phase(name: string): void;
  /** `n` more steps are done; `label` says of what. */
  tick(n: number, label: string): void;
  /** A line that stays: a warning, a note. */
  log(message: string): void;
  /** Ends what is shown. */
  stop(): void;
}
