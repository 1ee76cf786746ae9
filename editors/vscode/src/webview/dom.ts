// Elements without markup: what comes from the container is only ever text.

type Child = Node | string | undefined | false;

/** Makes an element; `class`, `aria-…` and the like are attributes. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | undefined>,
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...present(children));
  return element;
}

export function replace(element: Element, ...children: Child[]): void {
  element.replaceChildren(...present(children));
}

export function button(
  label: string,
  attributes: Record<string, string | undefined>,
  act: () => void,
): HTMLButtonElement {
  const made = el('button', { type: 'button', ...attributes }, label);
  made.addEventListener('click', act);
  return made;
}

function present(children: Child[]): (Node | string)[] {
  return children.filter(child => child !== undefined && child !== false);
}
