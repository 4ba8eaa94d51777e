//! Finds many patterns at once in a stream of bytes: an automaton of Aho and Corasick.
//!
//! It also knows how many of the last bytes may be the beginning of a pattern, which a stream holds back; the crate
//! `aho-corasick` doesn't tell that.

use std::collections::VecDeque;

/// A state of an automaton.
pub(super) type State = u32;

/// The state in which nothing of a pattern was seen.
pub(super) const START: State = 0;

/// The patterns of a mask. It contains secrets, so it has no `Debug` output.
pub(super) struct Automaton {
    nodes: Vec<Node>,
    /// The states after the first byte of a pattern.
    first: Box<[State; 256]>,
}

/// The beginning of one or more patterns.
#[derive(Default)]
struct Node {
    byte: u8,
    /// The first of the longer beginnings, and the next one of the same length; [`START`] for none.
    child: State,
    sibling: State,
    /// The longest other beginning that ends with the same bytes.
    fallback: State,
    /// Its length.
    depth: u32,
    /// The longest pattern that ends with it: its length, or 0, and its owner.
    longest: u32,
    owner: u32,
}

impl Automaton {
    /// Builds an automaton of patterns, each with the number of its owner. Empty patterns are ignored.
    pub(super) fn new(patterns: impl IntoIterator<Item = (Vec<u8>, u32)>) -> Self {
        let mut automaton = Self { nodes: vec![Node::default()], first: Box::new([START; 256]) };
        for (pattern, owner) in patterns {
            automaton.insert(&pattern, owner);
        }
        automaton.link();
        automaton
    }

    fn insert(&mut self, pattern: &[u8], owner: u32) {
        let mut state = START;
        for byte in pattern {
            state = match self.child(state, *byte) {
                START => self.add(state, *byte),
                child => child,
            };
        }
        if let Some(node) = self.nodes.get_mut(state as usize).filter(|node| node.depth > 0) {
            (node.longest, node.owner) = (node.depth, owner);
        }
    }

    fn add(&mut self, parent: State, byte: u8) -> State {
        let new = State::try_from(self.nodes.len()).unwrap_or(START);
        let (depth, sibling) = (self.node(parent).depth + 1, self.node(parent).child);
        self.nodes.push(Node { byte, sibling, depth, ..Node::default() });
        if parent == START {
            self.first[usize::from(byte)] = new;
        }
        self.nodes[parent as usize].child = new;
        new
    }

    /// Computes the fallbacks, from short beginnings to long ones.
    fn link(&mut self) {
        let mut queue: VecDeque<State> = self.first.iter().copied().filter(|state| *state != START).collect();
        while let Some(parent) = queue.pop_front() {
            let mut child = self.node(parent).child;
            while child != START {
                let fallback = self.step(self.node(parent).fallback, self.node(child).byte);
                let (longest, owner) = (self.node(fallback).longest, self.node(fallback).owner);
                let node = &mut self.nodes[child as usize];
                node.fallback = fallback;
                if node.longest == 0 {
                    (node.longest, node.owner) = (longest, owner);
                }
                queue.push_back(child);
                child = node.sibling;
            }
        }
    }

    fn node(&self, state: State) -> &Node {
        &self.nodes[state as usize]
    }

    fn child(&self, state: State, byte: u8) -> State {
        if state == START {
            return self.first[usize::from(byte)];
        }
        let mut child = self.node(state).child;
        while child != START && self.node(child).byte != byte {
            child = self.node(child).sibling;
        }
        child
    }

    /// Returns the state after one more byte.
    pub(super) fn step(&self, mut state: State, byte: u8) -> State {
        loop {
            match self.child(state, byte) {
                START if state == START => return START,
                START => state = self.node(state).fallback,
                next => return next,
            }
        }
    }

    /// Returns whether a pattern begins with this byte.
    pub(super) fn begins_with(&self, byte: u8) -> bool {
        self.first[usize::from(byte)] != START
    }

    /// Returns the number of last bytes that may be the beginning of a pattern.
    pub(super) fn depth(&self, state: State) -> usize {
        self.node(state).depth as usize
    }

    /// Returns the length of the longest pattern that ends here, and its owner.
    pub(super) fn found(&self, state: State) -> Option<(usize, u32)> {
        let node = self.node(state);
        (node.longest > 0).then_some((node.longest as usize, node.owner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(patterns: &[&str], text: &str) -> Vec<(usize, usize)> {
        let numbered = patterns.iter().zip(0..).map(|(pattern, owner)| (pattern.as_bytes().to_vec(), owner));
        let automaton = Automaton::new(numbered);
        let mut state = START;
        let mut ends = Vec::new();
        for (at, byte) in text.bytes().enumerate() {
            state = automaton.step(state, byte);
            if let Some((length, _)) = automaton.found(state) {
                ends.push((at + 1 - length, at + 1));
            }
        }
        ends
    }

    #[test]
    fn patterns_that_overlap_or_contain_each_other_are_all_found() {
        assert_eq!(ends(&["he", "she", "his", "hers"], "ushers"), [(1, 4), (2, 6)]);
        assert_eq!(ends(&["aab", "ab"], "aaab"), [(1, 4)]);
        assert_eq!(ends(&["abcd", "bc"], "abcx"), [(1, 3)]);
        assert_eq!(ends(&["", "x"], "axx"), [(1, 2), (2, 3)]);
    }

    #[test]
    fn the_depth_is_the_longest_beginning_that_was_seen() {
        let automaton = Automaton::new([(b"abab".to_vec(), 0)]);
        let depths = b"ababx".iter().scan(START, |state, byte| {
            *state = automaton.step(*state, *byte);
            Some(automaton.depth(*state))
        });
        assert_eq!(depths.collect::<Vec<_>>(), [1, 2, 3, 4, 0]);
    }
}
