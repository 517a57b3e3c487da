/** Elements are made of text and attributes alone: no text ever becomes markup, or turns the text around it. */

type Child = Node | string | null;

/** What moves lines or overrides the direction in which text is read. */
const DECEPTIVE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/** Names come from strangers: `exe.gpj` cannot look like `jpg.exe`. As the terminal shows them. */
function plain(text: string): string {
  return text.replace(DECEPTIVE, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** Attributes that are null or false are left out; true ones are empty. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number | boolean | null>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(name, value === true ? '' : plain(`${value}`));
  }
  for (const child of children)
    if (child !== null) made.append(typeof child === 'string' ? plain(child) : child);
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
  const shown = plain(text);
  if (node.textContent !== shown) node.textContent = shown;
}
