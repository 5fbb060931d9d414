// What is written on a box. Owns the choice among the forms of a name by the room there is,
// cached per function; which boxes get a label at all is decided in paint.ts.

import { edgeArrow } from "../model/describe";
import { formatAmount, formatCount } from "../model/format";
import { FrameFlag, Kind, KIND_TAGS } from "../model/kind";
import { nameForms, shortName } from "../model/names";
import type { Profile } from "../model/profile";
import type { Tree } from "../model/tree";
import type { TextFitter } from "./text";

const TAG_GAP_PX = 16;

interface Forms {
  texts: string[];
  widths: number[];
}

export class Labels {
  private cache: (Forms | undefined)[] = [];

  private profile: Profile;
  private fitter: TextFitter;

  constructor(profile: Profile, fitter: TextFitter) {
    this.profile = profile;
    this.fitter = fitter;
  }

  /** Widths belong to a font. */
  forget(): void {
    this.cache = [];
  }

  ofNode(tree: Tree, node: number, available: number): string {
    if (node === 0) return this.ofRoot(tree, available);
    const { frames } = this.profile;
    const frame = tree.frame[node]!;
    return this.fit(this.forms(frames.fn[frame]!, frames.flags[frame]!), available);
  }

  /** A sign for the kind, where there is room beside the text; Go and edges need none. */
  tag(tree: Tree, node: number, text: string, available: number): string {
    const { functions, frames } = this.profile;
    const kind = functions.kind[frames.fn[tree.frame[node]!]!]!;
    const tag = kind === Kind.Go || kind === Kind.Edge ? "" : KIND_TAGS[kind]!;
    return this.fitter.width(text + tag) + TAG_GAP_PX < available ? tag : "";
  }

  ofBar(merged: number, available: number): string {
    const long = `+${formatCount(merged)} ${merged === 1 ? "frame" : "frames"}`;
    for (const text of [long, `+${formatCount(merged)}`]) {
      if (this.fitter.width(text) <= available) return text;
    }
    return "";
  }

  private ofRoot(tree: Tree, available: number): string {
    const { header, functions, frames } = this.profile;
    const name = header.strings[functions.name[frames.fn[tree.frame[0]!]!]!]!;
    const text = `${shortName(name)} · ${formatAmount(tree.total[0]!, header.unit)}`;
    return this.fitter.width(text) <= available ? text : this.fitter.cut(text, available);
  }

  private forms(fn: number, flags: number): Forms {
    const known = this.cache[fn];
    if (known) return known;
    const { functions, header } = this.profile;
    const name = header.strings[functions.name[fn]!]! || "[no name]";
    const all = nameForms(name);
    const kind = functions.kind[fn];
    // The package path is left to the tooltip even where it would fit: it crowds the view.
    let texts = kind === Kind.Group ? [name] : all.slice(all.indexOf(shortName(name)));
    if (kind === Kind.Edge) {
      const arrow = edgeArrow((flags & FrameFlag.Callback) !== 0);
      texts = texts.map((text) => `${arrow} ${text}`);
    }
    return (this.cache[fn] = { texts, widths: texts.map((text) => this.fitter.width(text)) });
  }

  private fit(forms: Forms, available: number): string {
    const { texts, widths } = forms;
    for (let i = 0; i < texts.length; i++) {
      if (widths[i]! <= available) return texts[i]!;
    }
    return this.fitter.cut(texts[texts.length - 1]!, available);
  }
}
