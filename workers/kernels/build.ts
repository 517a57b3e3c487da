/** Run by `npm run build`: writes the hash kernel's two modules beside the compiled workers. */
import { writeFileSync } from 'node:fs';
import { scalarModule, simdModule } from './md5-program.js';

writeFileSync(new URL('./md5-scalar.wasm', import.meta.url), scalarModule());
writeFileSync(new URL('./md5-simd.wasm', import.meta.url), simdModule());
