/** What a LOOK asks for. A file matches by its name or, where there is one, by the prefix of its Filemd5. */
export interface FileQuery {
  /** Lower case; empty: every name. */
  readonly name: string;
  readonly md5Prefix: string | null;
}

/** The form in which names and searches are compared. */
export function foldName(text: string): string {
  return text.toLowerCase();
}

/** The query that a Ricerca means (PROTOCOL.md §3, LOOK); null: it matches nothing. */
export function parseFileQuery(ricerca: string): FileQuery | null {
  const text = ricerca.trim();
  if (text === '') return null;
  if (text === '*') return { name: '', md5Prefix: null };
  const name = foldName(text);
  return { name, md5Prefix: /^[0-9a-f]{8,20}$/.test(name) ? name : null };
}
