//! The committed table of counts, and the comparison with it.
#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};

/// The counts that were committed, and those of this test.
pub(super) struct Table {
    path: PathBuf,
    before: Vec<(String, u64)>,
    /// With how many per cent each may be over that of the table.
    now: Vec<(String, u64, u64)>,
}

impl Table {
    /// Reads the committed one.
    pub(super) fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lens/instructions.txt");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let row = |line: &str| {
            let (what, count) = line.split_once(": ")?;
            Some((what.to_owned(), count.replace(',', "").parse().ok()?))
        };
        Self { path, before: text.lines().filter_map(row).collect(), now: Vec::new() }
    }

    /// Adds a count, which may be this many per cent over that of the table.
    pub(super) fn row(&mut self, what: &str, count: u64, tolerance: u64) {
        println!("{what}: {}", grouped(count));
        self.now.push((what.to_owned(), count, tolerance));
    }

    /// Panics if something has grown, or writes the table if that is asked for.
    pub(super) fn compare(self) {
        if std::env::var_os("UPDATE_INSTRUCTIONS").is_some() {
            let lines = self.now.iter().map(|(what, count, _)| format!("{what}: {}\n", grouped(*count)));
            return std::fs::write(self.path, lines.collect::<String>()).unwrap();
        }
        let grown = self.now.iter().filter_map(|(what, count, tolerance)| {
            let (_, before) = self.before.iter().find(|(it, _)| it == what).expect("UPDATE_INSTRUCTIONS=1");
            let more = (count * 100 / before).saturating_sub(100);
            let (count, before) = (grouped(*count), grouped(*before));
            (more > *tolerance)
                .then(|| format!("{what} takes {count} instructions instead of {before}: {more} % more\n"))
        });
        let grown: String = grown.collect();
        let folder = super::callgrind::folder();
        assert!(
            grown.is_empty(),
            "{grown}`callgrind_annotate {}/daemon.N` or `ui.N` shows where; if it has to be so, `UPDATE_INSTRUCTIONS=1`",
            folder.display()
        );
    }
}

/// Writes a number with commas.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[test]
fn numbers_are_grouped() {
    assert_eq!([7, 123, 1234, 1234567].map(grouped), ["7", "123", "1,234", "1,234,567"]);
}
