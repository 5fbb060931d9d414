//! The boxes of the picture.
//!
//! Owns which nodes are drawn and the promise that every other one is counted: siblings come
//! heaviest first, so from the first that is too narrow on, the rest of them is one bar.

use seam_analyze::{CallTree, Direction, Folder, TreeFrame, TreeSubject, Trees};

use super::{LETTER_PX, cut, escaped};
use crate::html::{edge_words, kind, title};
use crate::kind_codes::{KIND_EDGE, KIND_META, KIND_UNNAMED};
use crate::names::{base_name, short_name};
use crate::numbers::{percent, thousands};

pub(super) const ROW_PX: usize = 19;
const GAP_PX: f64 = 0.7;
const PADDING_PX: f64 = 4.0;
/// Narrower boxes are gathered.
const NARROW_PX: f64 = 1.2;
/// A picture of thousands of rows helps nobody; what is deeper is counted.
const ROWS_MAX: usize = 400;
const LETTERS_MIN: usize = 3;

pub(super) struct Picture {
    pub(super) boxes: String,
    pub(super) rows: usize,
    pub(super) samples: u64,
    /// Frames in bars, and frames below the last row.
    pub(super) narrow: u64,
    pub(super) deep: u64,
}

pub(super) fn draw(folder: &Folder<'_>, trees: &Trees, width_px: f64) -> Picture {
    let tree = &trees.folded;
    let samples = tree.nodes[0].total_weight;
    let scale = width_px / samples.max(1) as f64;
    let ends = subtree_ends(tree);
    let mut picture = Picture {
        boxes: String::new(),
        rows: 1,
        samples,
        narrow: 0,
        deep: 0,
    };
    // Where each node begins, and where its next child does.
    let mut next = vec![0.0; tree.nodes.len()];
    let mut at = 0;
    while at < tree.nodes.len() {
        let node = &tree.nodes[at];
        let parent = node.parent as usize;
        let row = usize::from(node.depth);
        let left = if at == 0 { 0.0 } else { next[parent] };
        let width = node.total_weight as f64 * scale;
        if row >= ROWS_MAX {
            picture.deep += (ends[parent] - at) as u64;
            at = ends[parent];
            continue;
        }
        picture.rows = picture.rows.max(row + 1);
        if at != 0 && width < NARROW_PX {
            let count = (ends[parent] - at) as u64;
            let rest: u64 = siblings(tree, &ends, at).sum();
            bar(&mut picture, row, left, rest as f64 * scale, count, rest);
            at = ends[parent];
            continue;
        }
        next[at] = left;
        if at != 0 {
            next[parent] = left + width;
        }
        let words = Words::of(folder, &trees.frames[node.frame as usize]);
        let own = node.self_weight;
        let lines = words.lines(node.total_weight, own, samples);
        let class = format!("k{}", words.kind);
        let full = if at == 0 {
            format!("{} · {} samples", words.short, thousands(samples))
        } else {
            words.short
        };
        push(&mut picture.boxes, row, left, width, &class, &full, &lines);
        at += 1;
    }
    picture
}

/// One past the last node of each subtree.
fn subtree_ends(tree: &CallTree) -> Vec<usize> {
    let mut ends: Vec<usize> = (1..=tree.nodes.len()).collect();
    for at in (1..tree.nodes.len()).rev() {
        let parent = tree.nodes[at].parent as usize;
        ends[parent] = ends[parent].max(ends[at]);
    }
    ends
}

/// Weights of a node and the siblings after it.
fn siblings<'a>(
    tree: &'a CallTree,
    ends: &'a [usize],
    from: usize,
) -> impl Iterator<Item = u64> + 'a {
    let last = ends[tree.nodes[from].parent as usize];
    let following = std::iter::successors(Some(from), move |at| ends.get(*at).copied());
    following
        .take_while(move |at| *at < last)
        .map(|at| tree.nodes[at].total_weight)
}

fn bar(picture: &mut Picture, row: usize, left: f64, width: f64, count: u64, weight: u64) {
    picture.narrow += count;
    let frames = if count == 1 { "frame" } else { "frames" };
    let label = format!("+{}", thousands(count));
    let share = percent(weight, picture.samples);
    let title = format!("{label} {frames} too narrow to draw, {share}");
    let boxes = &mut picture.boxes;
    push(boxes, row, left, width, "more", &label, &title);
}

fn push(
    boxes: &mut String,
    row: usize,
    left: f64,
    width: f64,
    class: &str,
    label: &str,
    title: &str,
) {
    let top = row * ROW_PX;
    let height = ROW_PX - 1;
    let shown = (width - GAP_PX).max(0.3);
    boxes.push_str(&format!(
        "<g><title>{}</title><rect class=\"{class}\" x=\"{left:.1}\" y=\"{top}\" \
         width=\"{shown:.1}\" height=\"{height}\"/>",
        title.lines().map(escaped).collect::<Vec<_>>().join("\n")
    ));
    let letters = ((width - 2.0 * PADDING_PX) / LETTER_PX).max(0.0) as usize;
    if letters >= LETTERS_MIN {
        boxes.push_str(&format!(
            "<text x=\"{:.1}\" y=\"{}\">{}</text>",
            left + PADDING_PX,
            top + ROW_PX - 6,
            escaped(&cut(label, letters))
        ));
    }
    boxes.push_str("</g>\n");
}

/// What is said of a frame.
struct Words {
    name: String,
    short: String,
    /// Word of the kind, file and line, module; what is not known is left out.
    about: Vec<String>,
    kind: u8,
}

impl Words {
    fn of(folder: &Folder<'_>, frame: &TreeFrame) -> Self {
        let profile = folder.profile();
        match frame.subject {
            TreeSubject::Process => Self::meta(title(profile)),
            TreeSubject::Elided => Self::meta("… frames not kept".to_owned()),
            TreeSubject::Function(id) => {
                let function = profile.functions().get(id);
                let name = profile.text(function.name);
                let name = if name.is_empty() { "[no name]" } else { name };
                let kind = kind(function);
                let mut about = vec![
                    super::KINDS[usize::from(kind.min(KIND_UNNAMED))]
                        .1
                        .to_owned(),
                ];
                about.extend(place(profile.text(function.file), frame.line));
                let module = function.module.map(|id| profile.modules().get(id).path);
                about.extend(module.map(|path| base_name(profile.text(path)).to_owned()));
                Self {
                    name: name.to_owned(),
                    short: short_name(name),
                    about,
                    kind,
                }
            }
            TreeSubject::Edge {
                direction,
                callee,
                caller,
            } => {
                let callee = folder.label(callee);
                let arrow = match direction {
                    Direction::Call => '↳',
                    Direction::Callback => '↲',
                };
                let file = caller.map_or("", |id| profile.text(profile.functions().get(id).file));
                let mut about = vec!["cgo edge".to_owned()];
                about.extend(place(file, frame.line));
                Self {
                    name: edge_words(direction, callee),
                    short: format!("{arrow} {}", short_name(callee)),
                    about,
                    kind: KIND_EDGE,
                }
            }
        }
    }

    fn meta(name: String) -> Self {
        Self {
            short: name.clone(),
            name,
            about: Vec::new(),
            kind: KIND_META,
        }
    }

    fn lines(&self, total: u64, own: u64, samples: u64) -> String {
        let weigh = |part| format!("{} · {}", percent(part, samples), thousands(part));
        let weight = format!("total {}, self {}", weigh(total), weigh(own));
        let mut lines = vec![self.name.clone(), self.about.join(" · "), weight];
        lines.retain(|line| !line.is_empty());
        lines.join("\n")
    }
}

fn place(file: &str, line: u32) -> Option<String> {
    let file = base_name(file);
    match line {
        _ if file.is_empty() => None,
        0 => Some(file.to_owned()),
        _ => Some(format!("{file}:{line}")),
    }
}

#[cfg(test)]
mod tests {
    use seam_profile::fixtures::sqlite;

    use super::*;

    #[test]
    fn at_any_width_each_frame_is_drawn_or_counted() {
        let profile = sqlite();
        let folder = Folder::new(&profile);
        let trees = Trees::build(&folder);
        for width_px in [1.0, 4.0, 40.0, 400.0] {
            let picture = draw(&folder, &trees, width_px);
            let bars = picture.boxes.matches("class=\"more\"").count();
            let boxes = picture.boxes.matches("<rect").count() - bars;
            let counted = boxes as u64 + picture.narrow + picture.deep;
            assert_eq!(counted, trees.folded.nodes.len() as u64, "{width_px} px");
        }
    }
}
