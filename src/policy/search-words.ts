import { foldName } from '../model/file-query.js';

/** The words of a search text, in the form in which texts are compared; each once. */
export function searchWords(text: string): string[] {
  return [...new Set(foldName(text).match(/[\p{L}\p{N}]+/gu) ?? [])];
}
