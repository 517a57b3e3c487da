/** The compiled hash kernel, as one thread makes it for all. */
import { readFileSync } from 'node:fs';

/** 'simd' needs v128 of the processor, 'scalar' nothing. */
export type Md5Path = 'simd' | 'scalar';

const wasm = (path: Md5Path) =>
  readFileSync(new URL(`../../workers/kernels/md5-${path}.wasm`, import.meta.url));

/**
 * Compiles the kernel, which takes a millisecond; without `path` the fastest that this machine runs. The module goes to
 * the workers by structured clone: machine code is shared, so what one worker has warmed up is fast in all.
 */
export function compileMd5(path?: Md5Path): WebAssembly.Module {
  if (path === 'scalar') return new WebAssembly.Module(wasm('scalar'));
  const simd = wasm('simd');
  return path === 'simd' || WebAssembly.validate(simd) ? new WebAssembly.Module(simd) : compileMd5('scalar');
}
