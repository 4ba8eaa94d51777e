//! The only place that names colours. Sixteen ANSI colours by default, so that the terminal's own palette holds; a theme
//! file may change any role.

mod file;

use fanlight_shared::run::{NodeStatus, RunStatus};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

/// Styles by role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Theme {
    /// Ordinary text.
    pub text: Style,
    /// Less important text.
    pub dim: Style,
    /// Titles of unfocused panes, and borders.
    pub border: Style,
    /// The border and title of the focused pane; the accent bar; the ring.
    pub accent: Style,
    /// The row or card under the cursor.
    pub selected: Style,
    /// What is marked.
    pub marked: Style,
    /// Matches of a filter.
    pub matched: Style,
    /// Keys in hints and help.
    pub key: Style,
    /// What ended well.
    pub good: Style,
    /// What runs.
    pub running: Style,
    /// What waits.
    pub waiting: Style,
    /// What failed.
    pub bad: Style,
    /// Cancelled or skipped.
    pub cancelled: Style,
    /// Warnings and banners.
    pub warning: Style,
    /// Edges at rest.
    pub edge: Style,
    /// Edges to running nodes, and edges of the selected node.
    pub edge_active: Style,
    /// A star.
    pub star: Style,
    /// The curves of runs, by number.
    curves: [Style; CURVE_COLOURS.len()],
}

/// Neighbours differ in more than brightness.
const CURVE_COLOURS: [Color; 12] = [
    Color::Cyan,
    Color::Yellow,
    Color::Magenta,
    Color::Green,
    Color::Blue,
    Color::Red,
    Color::LightGreen,
    Color::LightMagenta,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightRed,
    Color::LightCyan,
];

/// The names of the roles in theme files.
pub const ROLES: &[&str] = &[
    "text",
    "dim",
    "border",
    "accent",
    "selected",
    "marked",
    "matched",
    "key",
    "good",
    "running",
    "waiting",
    "bad",
    "cancelled",
    "warning",
    "edge",
    "edge_active",
    "star",
];

impl Default for Theme {
    fn default() -> Self {
        let plain = Style::new();
        Self {
            text: plain,
            dim: plain.fg(Color::DarkGray),
            border: plain.fg(Color::DarkGray),
            accent: plain.fg(Color::Cyan).add_modifier(Modifier::BOLD),
            selected: plain.add_modifier(Modifier::REVERSED),
            marked: plain.fg(Color::Magenta).add_modifier(Modifier::BOLD),
            matched: plain.fg(Color::Yellow).add_modifier(Modifier::UNDERLINED),
            key: plain.fg(Color::Cyan),
            good: plain.fg(Color::Green),
            running: plain.fg(Color::Cyan).add_modifier(Modifier::BOLD),
            waiting: plain.fg(Color::DarkGray),
            bad: plain.fg(Color::Red).add_modifier(Modifier::BOLD),
            cancelled: plain.fg(Color::DarkGray),
            warning: plain.fg(Color::Yellow),
            edge: plain.fg(Color::DarkGray),
            edge_active: plain.fg(Color::Cyan),
            star: plain.fg(Color::Yellow),
            curves: CURVE_COLOURS.map(|colour| plain.fg(colour)),
        }
    }
}

impl Theme {
    fn role_mut(&mut self, name: &str) -> Option<&mut Style> {
        Some(match name {
            "text" => &mut self.text,
            "dim" => &mut self.dim,
            "border" => &mut self.border,
            "accent" => &mut self.accent,
            "selected" => &mut self.selected,
            "marked" => &mut self.marked,
            "matched" => &mut self.matched,
            "key" => &mut self.key,
            "good" => &mut self.good,
            "running" => &mut self.running,
            "waiting" => &mut self.waiting,
            "bad" => &mut self.bad,
            "cancelled" => &mut self.cancelled,
            "warning" => &mut self.warning,
            "edge" => &mut self.edge,
            "edge_active" => &mut self.edge_active,
            "star" => &mut self.star,
            _ => return None,
        })
    }

    /// Returns the theme without colours, which uses weight and glyphs only.
    #[must_use]
    pub fn without_colour(mut self) -> Self {
        for name in ROLES {
            if let Some(style) = self.role_mut(name) {
                (style.fg, style.bg, style.underline_color) = (None, None, None);
            }
        }
        self.curves = [Style::new(); CURVE_COLOURS.len()];
        self
    }

    /// Returns the style of the curves of a run, which is always the same for its number.
    #[must_use]
    pub fn curve(&self, number: u32) -> Style {
        self.curves[number as usize % self.curves.len()]
    }

    /// Highlights an area as under the cursor. If that swaps colours, they are removed first, or each word would have
    /// its own background.
    pub fn select(&self, area: Rect, buffer: &mut Buffer) {
        if self.selected.add_modifier.contains(Modifier::REVERSED) {
            buffer.set_style(area, Style::new().fg(Color::Reset).bg(Color::Reset));
        }
        buffer.set_style(area, self.selected);
    }

    /// Returns the style of a node's state.
    #[must_use]
    pub fn node(&self, status: NodeStatus) -> Style {
        match status {
            NodeStatus::Completed | NodeStatus::Cached => self.good,
            NodeStatus::Running => self.running,
            NodeStatus::Failed => self.bad,
            NodeStatus::Skipped | NodeStatus::Cancelled => self.cancelled,
            NodeStatus::Waiting | NodeStatus::Ready => self.waiting,
        }
    }

    /// Returns the style of a run's state.
    #[must_use]
    pub fn run(&self, status: RunStatus) -> Style {
        match status {
            RunStatus::Completed => self.good,
            RunStatus::Running | RunStatus::Cancelling => self.running,
            RunStatus::Parked => self.warning,
            RunStatus::Failed => self.bad,
            RunStatus::Cancelled => self.cancelled,
            RunStatus::Queued => self.waiting,
        }
    }
}

/// Returns the glyph of a node's state, so that the state is never shown by colour alone. A running node has a spinner,
/// see `beat`.
#[must_use]
pub fn node_glyph(status: NodeStatus, beat: u64, ascii: bool) -> &'static str {
    match (status, ascii) {
        (NodeStatus::Waiting, false) => "○",
        (NodeStatus::Ready, false) => "◌",
        (NodeStatus::Running, ascii) => spinner(beat, ascii),
        (NodeStatus::Completed, false) => "✓",
        (NodeStatus::Cached, false) => "≡",
        (NodeStatus::Failed, false) => "✗",
        (NodeStatus::Skipped, false) => "↷",
        (NodeStatus::Cancelled, false) => "⊘",
        (NodeStatus::Waiting, true) => ".",
        (NodeStatus::Ready, true) => ":",
        (NodeStatus::Completed, true) => "+",
        (NodeStatus::Cached, true) => "=",
        (NodeStatus::Failed, true) => "x",
        (NodeStatus::Skipped, true) => ">",
        (NodeStatus::Cancelled, true) => "-",
    }
}

/// Returns the glyph of a run's state.
#[must_use]
pub fn run_glyph(status: RunStatus, beat: u64, ascii: bool) -> &'static str {
    match (status, ascii) {
        (RunStatus::Queued, false) => "…",
        (RunStatus::Queued, true) => ".",
        (RunStatus::Running | RunStatus::Cancelling, ascii) => spinner(beat, ascii),
        (RunStatus::Parked, false) => "‖",
        (RunStatus::Parked, true) => "=",
        (RunStatus::Completed, ascii) => node_glyph(NodeStatus::Completed, beat, ascii),
        (RunStatus::Failed, ascii) => node_glyph(NodeStatus::Failed, beat, ascii),
        (RunStatus::Cancelled, ascii) => node_glyph(NodeStatus::Cancelled, beat, ascii),
    }
}

/// Returns the current glyph of a spinner.
#[must_use]
pub fn spinner(beat: u64, ascii: bool) -> &'static str {
    const BRAILLE: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
    const ASCII: [&str; 4] = ["|", "/", "-", "\\"];
    if ascii { ASCII[(beat % 4) as usize] } else { BRAILLE[(beat % 10) as usize] }
}
