//! Call trees: order, counts and both views.

use proptest::prelude::*;
use seam_profile::Profile;
use seam_profile::fixtures::scrambled;

use super::profile;
use crate::{CallTree, Folder, TreeSubject, Trees};

fn text(profile: &Profile, folder: &Folder<'_>, trees: &Trees, tree: &CallTree) -> Vec<String> {
    let row = |node: &crate::TreeNode| {
        let frame = trees.frames[node.frame as usize];
        let name = match frame.subject {
            TreeSubject::Process => "process".to_owned(),
            TreeSubject::Function(id) => profile.text(profile.functions().get(id).name).to_owned(),
            TreeSubject::Edge { callee, .. } => format!("→{}", folder.label(callee)),
            TreeSubject::Elided => "…".to_owned(),
        };
        let indent = " ".repeat(usize::from(node.depth));
        let flags = [
            (frame.flags.inlined, "i"),
            (frame.flags.plumbing, "p"),
            (frame.flags.callback, "b"),
        ];
        let flags: String = flags
            .iter()
            .filter(|(set, _)| *set)
            .map(|(_, word)| *word)
            .collect();
        let (own, all) = (node.self_weight, node.total_weight);
        format!(
            "{indent}{name}:{} {own}/{all} d{} {flags}",
            frame.line, node.call_depth
        )
        .trim_end()
        .to_owned()
    };
    tree.nodes.iter().map(row).collect()
}

#[test]
fn both_views_merge_the_same_stacks() {
    let call = "go:main._Cfunc_f@2 go:runtime.cgocall go:runtime.asmcgocall";
    let profile = profile(&[
        (1, &format!("go:main.main@5 {call} f")),
        (4, &format!("go:main.main@9 {call}")),
        (9, "go:main.main@1 +go:main.g@3"),
        (2, ""),
        (1, "… go:main.g@8"),
    ]);
    let folder = Folder::new(&profile);
    let trees = Trees::build(&folder);
    assert_eq!(
        text(&profile, &folder, &trees, &trees.folded),
        [
            "process:0 2/17 d0",
            " main.main:1 0/14 d0",
            "  main.g:3 9/9 d0 i",
            "  →f:9 4/5 d1",
            "   f:0 1/1 d1",
            " …:0 0/1 d0",
            "  main.g:8 1/1 d0",
        ]
    );
    assert_eq!(
        text(&profile, &folder, &trees, &trees.full)[3..7],
        [
            "  main._Cfunc_f:2 0/5 d1 p",
            "   runtime.cgocall:0 0/5 d1 p",
            "    runtime.asmcgocall:0 4/5 d1 p",
            "     f:0 1/1 d1",
        ]
    );
}

#[test]
fn deep_stacks_need_no_recursion() {
    let deep = "f ".repeat(20_000);
    let profile = profile(&[(1, &deep)]);
    let trees = Trees::build(&Folder::new(&profile));
    assert_eq!(trees.full.nodes.len(), 20_001);
    assert_eq!(trees.full.nodes[20_000].self_weight, 1);
}

/// Checks order, depths and sums of a tree.
fn check(tree: &CallTree, samples: u64) -> Result<(), TestCaseError> {
    let nodes = &tree.nodes;
    prop_assert_eq!(nodes[0].total_weight, samples);
    let mut sums: Vec<u64> = nodes.iter().map(|node| node.self_weight).collect();
    for (at, node) in nodes.iter().enumerate().skip(1).rev() {
        let parent = nodes[node.parent as usize];
        prop_assert!((node.parent as usize) < at);
        prop_assert_eq!(node.depth, parent.depth + 1);
        prop_assert!(node.call_depth >= parent.call_depth);
        // Pre-order: the node before is the parent or lies in an earlier sibling's subtree.
        prop_assert!(nodes[at - 1].depth + 1 >= node.depth);
        prop_assert_eq!(sums[at], node.total_weight);
        sums[node.parent as usize] += sums[at];
    }
    prop_assert_eq!(sums[0], samples);
    let mut last_child = vec![u64::MAX; nodes.len()];
    for node in &nodes[1..] {
        let last = &mut last_child[node.parent as usize];
        prop_assert!(node.total_weight <= *last, "greatest child first");
        *last = node.total_weight;
    }
    Ok(())
}

proptest! {
    #[test]
    fn trees_add_up(bytes in prop::collection::vec(any::<u8>(), 0..800)) {
        let profile = scrambled(&bytes);
        let trees = Trees::build(&Folder::new(&profile));
        let samples = profile.samples().weight_sum();
        check(&trees.folded, samples)?;
        check(&trees.full, samples)?;
        prop_assert_eq!(trees.folded.node_of_stack.len(), profile.stacks().len());
    }
}
