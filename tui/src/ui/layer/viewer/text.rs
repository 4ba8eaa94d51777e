//! The full text of a file, which is laid out and wrapped once for each width, not in each frame.

use std::borrow::Cow;
use std::cell::{Ref, RefCell};

use ratatui::text::Line;

use crate::ui::content::json;
use crate::ui::theme::Theme;
use crate::ui::wrap::wrap;

/// A text with its lines.
#[derive(Debug)]
pub(super) struct Text {
    whole: String,
    is_json: bool,
    /// The lines, and the columns they are wrapped to; no columns before the first frame.
    wrapped: RefCell<(u16, Vec<String>)>,
}

impl Text {
    pub(super) fn new(whole: String, is_json: bool) -> Self {
        Self { whole, is_json, wrapped: RefCell::default() }
    }

    /// Returns the text as it was read.
    pub(super) fn whole(&self) -> &str {
        &self.whole
    }

    /// Returns the lines, none of them wider than this.
    pub(super) fn lines(&self, columns: u16) -> Ref<'_, Vec<String>> {
        let columns = columns.max(1);
        if self.wrapped.borrow().0 != columns {
            let text = if self.is_json { json::readable(&self.whole) } else { Cow::Borrowed(&*self.whole) };
            let lines = wrap(&text, columns);
            *self.wrapped.borrow_mut() = (columns, lines);
        }
        Ref::map(self.wrapped.borrow(), |it| &it.1)
    }

    /// Returns one of the lines in its colours.
    pub(super) fn coloured<'a>(&self, line: &'a str, theme: &Theme) -> Line<'a> {
        if self.is_json { Line::from(json::spans(line, theme)) } else { Line::styled(line, theme.text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_lines_are_kept_until_the_width_changes() {
        let text = Text::new("{\"a\":[1,2]}".into(), true);
        let first = text.lines(20).as_ptr();
        assert_eq!(text.lines(20).as_ptr(), first, "the same lines");
        assert_eq!(*text.lines(20), ["{", "  \"a\": [", "    1,", "    2", "  ]", "}"]);
        assert!(text.lines(4).iter().all(|line| line.len() <= 4));
        assert_eq!(text.whole(), "{\"a\":[1,2]}", "what is copied is the text as it was read");
        assert_eq!(*Text::new("{\"a\":1}".into(), false).lines(20), ["{\"a\":1}"]);
    }
}
