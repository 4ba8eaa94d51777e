//! Lines of output that match a pattern, whose named groups are metrics.

use fanlight_shared::workflow::Metrics;
use regex::Regex;

use super::super::event::CommandEvent;
use super::super::text;
use super::{Notes, metric, number, step};

/// Finds numbers in lines.
pub(super) struct Pattern {
    /// `None` if it isn't valid, which the check of the file refuses.
    regex: Option<Regex>,
    matched: bool,
}

impl Pattern {
    pub(super) fn new(pattern: &str) -> Self {
        Self { regex: Regex::new(pattern).ok(), matched: false }
    }

    pub(super) fn take(
        &mut self,
        line: &str,
        of: &Metrics,
        notes: &mut Notes,
        visit: &mut dyn FnMut(CommandEvent),
    ) {
        let Some(regex) = &self.regex else { return };
        let step_group = of.step_name();
        for found in regex.captures_iter(line) {
            self.matched = true;
            let step = found.name(step_group).and_then(|text| step(text.as_str()));
            for name in regex.capture_names().flatten().filter(|name| *name != step_group) {
                let Some(cell) = found.name(name) else { continue };
                match number(cell.as_str()) {
                    Some(value) => visit(metric(name, value, step, of)),
                    None => notes.say(&format!(
                        "`{}` of the group `{name}` is not a number",
                        text::line(cell.as_str())
                    )),
                }
            }
        }
    }

    /// Returns why it has no metrics.
    pub(super) fn nothing(&self) -> Option<String> {
        (!self.matched).then(|| "has no line that matches the pattern".to_owned())
    }
}
