/** What the pool can be asked to do: one export a task, by the names of `Tasks` in src/compute/jobs.ts. */
import * as compare from './compare.js';
import * as frame from './frame.js';
import * as hash from './hash.js';
import * as prefix from './prefix.js';
import * as store from './store.js';
import * as verify from './verify.js';
import { metered } from './work-meter.js';

export const compareParts = metered(compare.compareParts);
export const readFrames = metered(frame.readFrames);
export const hashSlice = metered(hash.hashSlice);
export const hashParts = metered(prefix.hashParts);
export const finishHash = metered(prefix.finishHash);
export const storeParts = metered(store.storeParts);
export const verifyParts = metered(verify.verifyParts);
