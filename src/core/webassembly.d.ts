/** The part of WebAssembly's JavaScript interface this project uses; TypeScript ships it only with the DOM. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
    static exports(module: Module): { readonly name: string; readonly kind: string }[];
  }

  class Instance {
    readonly exports: Readonly<Record<string, unknown>>;
    constructor(module: Module, imports?: Readonly<Record<string, Readonly<Record<string, unknown>>>>);
  }

  class Memory {
    readonly buffer: ArrayBuffer | SharedArrayBuffer;
    /** Sizes in pages of 65,536 B. */
    constructor(size: { readonly initial: number; readonly maximum: number; readonly shared: boolean });
  }

  function validate(bytes: Uint8Array): boolean;
}
