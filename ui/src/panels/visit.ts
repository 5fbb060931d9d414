// From a function to its place in the graph: searches for exactly its name, so that every
// instance is highlighted, and goes to the heaviest one.

import type { Flame } from "../app/connect";
import type { Session } from "../app/session";
import { exactly } from "../model/search";

export function visitFunction(session: Session, flame: Flame, fn: number): void {
  const { functions, header } = session.profile;
  const name = header.strings[functions.name[fn]!]!;
  session.search(exactly(name));
  const { tree, matched } = session;
  if (!matched || matched.nodes.length === 0) return;
  let heaviest = matched.nodes[0]!;
  for (const node of matched.nodes) {
    if (tree.total[node]! > tree.total[heaviest]!) heaviest = node;
  }
  flame.visit(heaviest);
}
