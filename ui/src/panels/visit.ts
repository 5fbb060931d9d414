// From a function to its place in the graph: searches for exactly its name, so that every
// instance is highlighted, and goes to the heaviest one.

import type { Flame } from "../app/connect";
import type { Session } from "../app/session";

export function visitFunction(session: Session, flame: Flame, fn: number): void {
  const { functions, header } = session.profile;
  const name = header.strings[functions.name[fn]!]!;
  session.search(`^${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
  const { tree, matches } = session;
  if (!matches || matches.nodes.length === 0) return;
  let heaviest = matches.nodes[0]!;
  for (const node of matches.nodes) {
    if (tree.total[node]! > tree.total[heaviest]!) heaviest = node;
  }
  flame.visit(heaviest);
}
