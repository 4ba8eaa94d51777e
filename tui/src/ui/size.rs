//! Size classes of the screen.

/// The size class of the screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SizeClass {
    /// Only a sentence.
    TooSmall,
    /// One pane at a time below a strip of counts; the grid as a list.
    Small,
    /// Grid (or gallery) and queue.
    Medium,
    /// All three panes.
    Large,
}

impl SizeClass {
    /// Returns the class of a terminal of this many columns and rows.
    #[must_use]
    pub fn of((columns, rows): (u16, u16)) -> Self {
        match () {
            () if columns < 40 || rows < 10 => Self::TooSmall,
            () if columns < 100 || rows < 24 => Self::Small,
            () if columns < 140 => Self::Medium,
            () => Self::Large,
        }
    }
}
