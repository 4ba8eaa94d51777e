//! Arrays: jobs of equal attempts that were submitted together. All elements of an array have its comment; which of them is the job
//! of an attempt is in the record of the attempt, durable before the array is submitted.

use std::path::PathBuf;

use fanlight_shared::id::AttemptId;
use serde::{Deserialize, Serialize};

/// What the comments of arrays begin with.
const COMMENT: &str = "fanlight:array:";

/// The element of an array that is the job of an attempt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Element {
    /// The comment of the array.
    pub(super) array: String,
    /// Its index.
    pub(super) index: usize,
    /// The folder that the array was started in, as the cluster sees it.
    pub(super) folder: PathBuf,
}

impl Element {
    /// Returns the elements of a new array.
    pub(super) fn all(count: usize, folder: PathBuf) -> impl Iterator<Item = Self> {
        // Any id does that nothing else has.
        let array = format!("{COMMENT}{}", AttemptId::new());
        (0..count).map(move |index| Self { array: array.clone(), index, folder: folder.clone() })
    }

    /// Returns the key by which it is found, as a comment is that of a job of its own.
    pub(super) fn key(&self) -> String {
        key(&self.array, &self.index.to_string())
    }
}

fn key(array: &str, index: &str) -> String {
    format!("{array}.{index}")
}

/// Returns the key of a job with this id and comment.
pub(super) fn key_of(id: &str, comment: String) -> String {
    match id.split_once('_') {
        Some((_, index)) if comment.starts_with(COMMENT) => key(&comment, index),
        _ => comment,
    }
}

/// Returns the ids in a text such as `41_[3,5-7%2]`, as the accounting names elements that never ran.
pub(super) fn expand(id: &str) -> Vec<String> {
    let Some((array, rest)) = id.split_once("_[") else { return vec![id.to_owned()] };
    let list = rest.trim_end_matches(']').split('%').next().unwrap_or_default();
    let mut ids = Vec::new();
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) {
            ids.extend(
                (first..=last.min(first.saturating_add(MAX_EXPANDED)))
                    .map(|index| format!("{array}_{index}")),
            );
        }
    }
    ids
}

/// The most elements that one range names; no cluster has larger arrays.
const MAX_EXPANDED: u32 = 4_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_found_by_the_comment_of_its_array_and_its_index() {
        let elements: Vec<Element> = Element::all(3, "/w/a".into()).collect();
        assert_eq!(key_of("41_2", elements[2].array.clone()), elements[2].key());
        assert_ne!(elements[1].key(), elements[2].key());
        assert_eq!(key_of("41", "fanlight:a".into()), "fanlight:a");
        assert_eq!(key_of("41_2", "somebody's".into()), "somebody's");
    }

    #[test]
    fn elements_that_never_ran_have_one_line_of_the_accounting() {
        assert_eq!(expand("41_7"), ["41_7"]);
        assert_eq!(expand("41_[3,5-7%2]"), ["41_3", "41_5", "41_6", "41_7"]);
        assert_eq!(expand("41_[x]"), [""; 0]);
    }
}
