/** What the pool can be asked to do: one export a task, by the names of `Tasks` in src/compute/jobs.ts. */
export { compareParts } from './compare.js';
export { readFrames } from './frame.js';
export { hashSlice } from './hash.js';
export { finishHash, hashParts } from './prefix.js';
export { storeParts } from './store.js';
export { verifyParts } from './verify.js';
