/**
 * The part of the WebAssembly interface that is used here.
 *
 * TypeScript keeps these types in its DOM library, which code for Node must not see.
 */

export interface WasmMemory {
  /** Replaced by a longer one when the memory grows. */
  readonly buffer: ArrayBufferLike;
  /** Throws RangeError where the memory cannot grow by so many pages. */
  grow(pages: number): number;
}

interface WasmApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, WasmMemory>>>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: new (limits: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared?: boolean;
  }) => WasmMemory;
}

export const PAGE_BYTES = 65_536;

export const { Module, Instance, Memory } = (globalThis as unknown as { readonly WebAssembly: WasmApi })
  .WebAssembly;
