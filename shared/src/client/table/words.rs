//! The different values of a column whose cells are not all numbers.

use std::collections::{BTreeSet, HashMap};

use super::Cell;

/// Different values as texts, in their order.
#[derive(Clone, Debug, Default)]
pub struct Words {
    labels: Vec<String>,
    /// The places of the values, by [`Cell::group`].
    places: HashMap<String, usize>,
}

impl Words {
    /// Returns the values of these cells; `None` if there are more than `most`.
    #[must_use]
    pub fn of<'a>(cells: impl IntoIterator<Item = &'a Cell>, most: usize) -> Option<Self> {
        let mut known = HashMap::new();
        for cell in cells {
            known.entry(cell.group()).or_insert_with(|| cell.to_string());
            if known.len() > most {
                return None;
            }
        }
        let sorted: BTreeSet<(String, String)> =
            known.into_iter().map(|(group, label)| (label, group)).collect();
        let mut words = Self::default();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        sorted.iter().for_each(|(label, _)| *counts.entry(label).or_default() += 1);
        for (label, group) in &sorted {
            // Long values that begin alike.
            let is_alike = counts.get(label.as_str()).is_some_and(|count| *count > 1) && group != label;
            words.labels.push(if is_alike { told_apart(label, group) } else { label.clone() });
            words.places.insert(group.clone(), words.labels.len() - 1);
        }
        Some(words)
    }

    /// Returns the texts, in their order.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Returns the place of the value of a cell, from 0.
    #[must_use]
    pub fn place(&self, cell: &Cell) -> Option<usize> {
        self.places.get(&cell.group()).copied()
    }
}

/// Returns the beginning of a long value with a part of its hash.
pub(in crate::client) fn told_apart(label: &str, hash: &str) -> String {
    format!("{label} ({})", hash.get(..8).unwrap_or(hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::BlobHash;
    use crate::value::Value;

    #[test]
    fn long_values_that_begin_alike_are_different_words() {
        let long = |end: &str| {
            let text = "x".repeat(300) + end;
            Cell::of_param(&Value::from(text.as_str()), Some(BlobHash::of(text.as_bytes())))
        };
        let short = Cell::text("b");
        let cells = [long("a"), long("b"), short.clone(), long("a")];
        let words = Words::of(&cells, 3).unwrap();
        assert_eq!(words.labels().len(), 3);
        assert_eq!(words.place(&cells[0]), words.place(&cells[3]));
        assert_ne!(words.place(&cells[0]), words.place(&cells[1]));
        assert_eq!((words.place(&short), words.labels()[0].as_str()), (Some(0), "b"));
        assert!(words.labels()[1].contains("… (") && words.labels()[1] != words.labels()[2]);
        assert!(Words::of(&cells, 2).is_none());
        assert_eq!(words.place(&Cell::text("c")), None);
    }
}
