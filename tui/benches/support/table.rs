//! The figures, with their spread and target.

use std::time::Duration;

/// Rows of the table.
#[derive(Default)]
pub(crate) struct Table(Vec<[String; 4]>);

impl Table {
    /// Adds a figure: its name, value, spread and target.
    pub(crate) fn row(&mut self, what: &str, figure: String, spread: String, promise: &str) {
        println!("{what}: {figure} ({spread}); promise: {promise}");
        self.0.push([what.to_owned(), figure, spread, promise.to_owned()]);
    }

    /// Adds the median of several measurements with a unit, and their range.
    pub(crate) fn median(&mut self, what: &str, mut all: Vec<f64>, unit: &str, promise: &str) {
        all.sort_by(f64::total_cmp);
        let show = |it: f64| format!("{it:.2}{unit}");
        let spread = format!("{} – {}, {} times", show(all[0]), show(all[all.len() - 1]), all.len());
        self.row(what, show(all[all.len() / 2]), spread, promise);
    }

    /// Adds the median and the 99th percentile of many durations.
    pub(crate) fn percentiles(&mut self, what: &str, mut all: Vec<Duration>, promise: &str) {
        all.sort_unstable();
        let at = |part: usize| all[(all.len() * part / 100).min(all.len() - 1)].as_secs_f64() * 1000.0;
        let figure = format!("p50 {:.2} ms, p99 {:.2} ms", at(50), at(99));
        self.row(what, figure, format!("most {:.2} ms, {} times", at(100), all.len()), promise);
    }

    /// Prints it as Markdown.
    pub(crate) fn print(&self) {
        println!("\n| what | figure | spread | promise |\n|---|---|---|---|");
        for row in &self.0 {
            println!("| {} |", row.join(" | "));
        }
    }
}
