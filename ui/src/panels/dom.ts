// Small helpers to build elements. Text only ever goes in as text nodes, so that no name
// out of a profile can become markup.

export type Child = Node | string;

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

export function button(
  className: string,
  title: string,
  onClick: () => void,
  ...children: Child[]
): HTMLButtonElement {
  const element = el("button", className, ...children);
  element.type = "button";
  element.title = title;
  element.addEventListener("click", onClick);
  return element;
}

export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the template has no element #${id}`);
  return element;
}

/** Runs a task at most once per frame, however often it is asked for. */
export function oncePerFrame(task: () => void): () => void {
  let pending = false;
  return () => {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => {
      pending = false;
      task();
    });
  };
}
