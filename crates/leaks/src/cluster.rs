//! Groups whose stacks differ in a frame or two: the same work, met a step further or by another
//! path. They stay groups of their own, with their own verdicts; that they belong together is told,
//! and whether they grow is asked of all of them together.

use std::collections::HashMap;

use seam_dump::{Dump, Goroutine};

use crate::id::{own_functions, plain, word};

/// Frames that may differ at most.
const FRAMES_MAX: usize = 2;
/// And at most one in so many: short stacks must be the same.
const ONE_IN: usize = 3;
/// Leaders that a stack is compared with: those with the same origin.
const LEADERS_MAX: usize = 256;
/// Frames that are compared; of a deeper stack the innermost.
const DEPTH_MAX: usize = 128;

/// A group's stack as it is compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    /// Functions that are not the runtime's, innermost first, as they are in every build.
    functions: Vec<String>,
    creator: String,
    wait: &'static str,
}

impl Shape {
    pub(crate) fn of(dump: &Dump, goroutine: &Goroutine) -> Self {
        let stack = goroutine.stack.and_then(|id| dump.stacks.get(id as usize));
        let functions = stack.into_iter().flat_map(own_functions).map(plain);
        let creator = goroutine
            .common
            .creator
            .as_ref()
            .map(|c| plain(&c.function));
        Self {
            functions: functions.map(str::to_owned).collect(),
            creator: creator.unwrap_or_default().to_owned(),
            wait: word(goroutine.kind),
        }
    }

    /// Who made them, what they began with, how they wait: without that in common they do other
    /// work.
    fn origin(&self) -> (&str, &str, &'static str) {
        let start = self.functions.last().map_or("", String::as_str);
        (&self.creator, start, self.wait)
    }

    fn near(&self, other: &Self) -> bool {
        let cut = |shape: &'_ Self| shape.functions.len().min(DEPTH_MAX);
        let (a, b) = (&self.functions[..cut(self)], &other.functions[..cut(other)]);
        let allowed = FRAMES_MAX.min(a.len().min(b.len()) / ONE_IN);
        distance(a, b, allowed) <= allowed
    }
}

/// How many frames must be put in, left out or replaced to make one stack of the other; more than
/// `most` is all the same.
fn distance(a: &[String], b: &[String], most: usize) -> usize {
    if a.len().abs_diff(b.len()) > most {
        return most + 1;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, one) in a.iter().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in b.iter().enumerate() {
            let replaced = corner + usize::from(one != other);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
        if row.iter().all(|steps| *steps > most) {
            return most + 1;
        }
    }
    row[b.len()]
}

/// The cluster of each group, by the place of the group that leads it: the shortest stack, of
/// equals the one with the least id, so that it is the same in every run with the same groups.
pub(crate) fn clusters(shapes: &[Option<Shape>], ids: &[&str]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..shapes.len()).collect();
    let depth = |at: usize| shapes[at].as_ref().map_or(0, |shape| shape.functions.len());
    order.sort_by_key(|at| (depth(*at), ids[*at]));
    let mut of: Vec<usize> = (0..shapes.len()).collect();
    let mut leaders: HashMap<_, Vec<usize>> = HashMap::new();
    for at in order {
        // The runtime's own workers are one group already.
        let Some(shape) = &shapes[at] else { continue };
        let leaders = leaders.entry(shape.origin()).or_default();
        let near = |leader: &&usize| shapes[**leader].as_ref().is_some_and(|l| l.near(shape));
        match leaders.iter().find(near) {
            Some(leader) => of[at] = *leader,
            None if leaders.len() < LEADERS_MAX => leaders.push(at),
            None => {}
        }
    }
    of
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(functions: &str, creator: &str) -> Option<Shape> {
        Some(Shape {
            functions: functions.split(' ').map(str::to_owned).collect(),
            creator: creator.to_owned(),
            wait: "receive",
        })
    }

    /// Pairs of stacks that a reader would call the same work, and such that he would not.
    #[test]
    fn what_belongs_together_is_put_together() {
        let together = [
            // A step further in, one that was inlined away, another path through a helper.
            ("read conn serve loop run", "fill read conn serve loop run"),
            ("wait pool.get db.query handle", "wait db.query handle"),
            ("wait a.enc handle serve run", "wait b.enc handle serve run"),
            ("w x a b c d", "w y a b e d"),
        ];
        let apart = [
            // Short stacks, others at the root, too much of it.
            ("wait handleA", "wait handleB"),
            ("wait a", "wait b a"),
            ("wait x y z startA", "wait x y z startB"),
            ("a b c d e start", "v w x d e start"),
            ("wait", "wait2"),
        ];
        let same = |(a, b): (&str, &str)| {
            let of = clusters(&[shape(a, "main"), shape(b, "main")], &["1", "2"]);
            of[0] == of[1]
        };
        for pair in together {
            assert!(same(pair), "{pair:?}");
        }
        for pair in apart {
            assert!(!same(pair), "{pair:?}");
        }
        // Another creator is another origin.
        let (a, b) = (shape("a b c d", "main"), shape("a x c d", "other"));
        assert_eq!(clusters(&[a, b, None], &["1", "2", "runtime"]), [0, 1, 2]);
    }

    #[test]
    fn the_leader_does_not_depend_on_the_order() {
        let (a, b, c) = (
            shape("a b c d e f", "m"),
            shape("b c d e f", "m"),
            shape("x b c d e f", "m"),
        );
        let all = [a.clone(), b.clone(), c.clone()];
        assert_eq!(clusters(&all, &["1", "2", "3"]), [1, 1, 1]);
        assert_eq!(clusters(&[c, a, b], &["3", "1", "2"]), [2, 2, 2]);
    }

    #[test]
    fn distances() {
        let of = |a: &str, b: &str| {
            let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
            distance(&words(a), &words(b), 2)
        };
        assert_eq!(of("a b c", "a b c"), 0);
        assert_eq!(of("a b c", "a c"), 1);
        assert_eq!(of("a b c d", "b c d e"), 2);
        assert_eq!(of("a b c", "x y z"), 3);
        assert_eq!(of("a b c d", "d"), 3);
    }
}
