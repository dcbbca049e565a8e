declare module 'snappyjs' {
  /** @throws {Error} if it is not a Snappy block, or expands to more than `maxLength` bytes. */
  export function uncompress(compressed: Uint8Array, maxLength: number): Uint8Array;
  export function compress(uncompressed: Uint8Array): Uint8Array;
}
