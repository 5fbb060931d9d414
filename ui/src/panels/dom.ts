// Small helpers to build elements. Text only ever goes in as text nodes, so that no name
// out of a profile can become markup.

import { on } from "../flame/on";

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
  on(element, "click", onClick);
  return element;
}

export function attribute(element: Element, name: string, value: string | number | boolean): void {
  element.setAttribute(name, `${value}`);
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

const CALM_MS = 120;

/** Runs a task now, or at the end of a busy time: while the graph is dragged or zoomed, words
 *  that change with every frame can't be read but cost a new layout of the page. */
export function calmly(task: () => void): () => void {
  let timer = 0;
  let last = -CALM_MS;
  const run = (): void => {
    timer = 0;
    last = performance.now();
    task();
  };
  return () => {
    if (timer !== 0) return;
    const wait = last + CALM_MS - performance.now();
    if (wait <= 0) run();
    else timer = window.setTimeout(run, wait);
  };
}
