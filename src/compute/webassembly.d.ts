/** The part of the WebAssembly API that is used here; Node's types of this major lack it, and "DOM" brings a browser. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared: true });
    readonly buffer: SharedArrayBuffer;
  }
}
