/** Whether an If-None-Match header names the tag, or any (RFC 9110 §13.1.2). */
export function isNamed(header: string | undefined, tag: string): boolean {
  return (header ?? '').split(',').some((each) => {
    const named = each.trim();
    return named === '*' || named.replace(/^W\//, '') === tag;
  });
}
