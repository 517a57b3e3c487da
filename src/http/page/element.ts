/** Elements are made of text and attributes alone: no text ever becomes markup. */

type Child = Node | string | null;

/** Attributes that are null or false are left out; true ones are empty. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number | boolean | null>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(name, value === true ? '' : `${value}`);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** What the document has under this id. */
export function byId<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the document has no #${id}`);
  return found as T;
}

/** Leaves the node alone when it says that already: no layout, and nothing for a screen reader to read again. */
export function say(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}
