const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text for the inside of an element or an attribute. */
export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (each) => ENTITIES[each]!);
}

/** A number as short as a coordinate needs. */
export function at(value: number): string {
  return `${Number(value.toFixed(1))}`;
}
