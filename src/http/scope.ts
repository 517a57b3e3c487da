/** What a token allows; `admin` allows everything. */
export const SCOPES = ['read', 'metrics', 'add', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export function allows(scopes: readonly Scope[], wanted: Scope): boolean {
  return scopes.includes('admin') || scopes.includes(wanted);
}
