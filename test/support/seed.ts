/**
 * Loaded before all tests: the draws of fast-check are the same in every run, so that no run passes or fails by luck.
 *
 * `FC_SEED=n` draws others; a failure names its own seed.
 */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['FC_SEED'] ?? 1) });
