//! Pre-order with the greatest child first.
//!
//! Owns the renumbering of a grown tree. Equal children keep the order in which they appeared.

use std::cmp::Reverse;

use super::{CallTree, TreeNode};

pub(super) fn pre_order(nodes: &[TreeNode], node_of_stack: Vec<u32>) -> CallTree {
    let order = order(nodes);
    let mut number = vec![0u32; nodes.len()];
    for (new, old) in order.iter().enumerate() {
        number[*old as usize] = new as u32;
    }
    let moved = |old: &u32| {
        let node = nodes[*old as usize];
        TreeNode {
            parent: number[node.parent as usize],
            ..node
        }
    };
    CallTree {
        nodes: order.iter().map(moved).collect(),
        node_of_stack: node_of_stack
            .into_iter()
            .map(|old| number[old as usize])
            .collect(),
    }
}

/// Old numbers in new order.
fn order(nodes: &[TreeNode]) -> Vec<u32> {
    // Siblings lie next to each other, the smallest first: the stack below pops them reversed.
    let mut siblings: Vec<u32> = (1..nodes.len() as u32).collect();
    siblings.sort_by_key(|node| {
        let row = nodes[*node as usize];
        (row.parent, row.total_weight, Reverse(*node))
    });
    let mut first_child = vec![siblings.len(); nodes.len() + 1];
    for (at, node) in siblings.iter().enumerate().rev() {
        first_child[nodes[*node as usize].parent as usize] = at;
    }
    let mut order = Vec::with_capacity(nodes.len());
    let mut pending = vec![0u32];
    while let Some(node) = pending.pop() {
        order.push(node);
        let children = siblings[first_child[node as usize]..].iter();
        pending.extend(children.take_while(|child| nodes[**child as usize].parent == node));
    }
    order
}
