//! The graphics protocol of this terminal: by its replies, or else by the environment.

use super::query::Replies;
use crate::ui::picture::PictureMode;

/// The protocol for pictures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum GraphicsProtocol {
    /// Two pixels per cell, by `▀`, or more by other characters: see [`CellPixels`].
    #[default]
    Blocks,
    /// kitty's protocol with placeholders.
    Kitty,
    /// iTerm2's protocol.
    Iterm,
    /// Sixels.
    Sixel,
}

/// How many pixels a cell has if pictures are drawn with characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CellPixels {
    /// Two, one above the other, each in a colour of its own.
    #[default]
    Half,
    /// Three rows of two, in two colours.
    Sextant,
    /// Four rows of two, in two colours.
    Octant,
}

impl CellPixels {
    /// Returns the columns and rows of pixels.
    #[must_use]
    pub fn count(self) -> (u16, u16) {
        match self {
            Self::Half => BLOCK,
            Self::Sextant => (2, 3),
            Self::Octant => (2, 4),
        }
    }
}

/// How pictures are drawn on this terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Drawing {
    /// The way.
    pub protocol: GraphicsProtocol,
    /// Width and height of a cell in pixels; of half blocks 1 and 2.
    pub font: (u16, u16),
    /// Whether the output passes through tmux.
    pub tmux: bool,
    /// Whether colours have 24 bits; otherwise they are from the 256-colour palette.
    pub deep: bool,
    /// How many pixels a cell has, if they are drawn with characters.
    pub pixels: CellPixels,
}

impl Default for Drawing {
    fn default() -> Self {
        Self {
            protocol: GraphicsProtocol::Blocks,
            font: BLOCK,
            tmux: false,
            deep: true,
            pixels: CellPixels::Half,
        }
    }
}

const BLOCK: (u16, u16) = (1, 2);
/// The assumed cell size of a terminal that doesn't report it.
const DEFAULT_FONT: (u16, u16) = (10, 20);

/// What the environment says about the terminal.
#[derive(Clone, Debug, Default)]
pub struct Terminal {
    /// `TERM`.
    pub term: String,
    /// `TERM_PROGRAM`, else `LC_TERMINAL`, which passes through SSH.
    pub program: String,
    /// `COLORTERM`.
    pub colours: String,
    /// Whether `TMUX` or `STY` is set.
    pub multiplexer: bool,
    /// Whether `KITTY_WINDOW_ID` is set.
    pub kitty: bool,
    /// Whether it is Konsole, which claims more than it supports.
    pub konsole: bool,
    /// Width and height of a cell in pixels, if the system knows them.
    pub font: Option<(u16, u16)>,
}

impl Terminal {
    /// This process's terminal.
    #[must_use]
    pub fn here() -> Self {
        let read = |name: &str| std::env::var(name).unwrap_or_default();
        let program = match read("TERM_PROGRAM") {
            program if program.is_empty() => read("LC_TERMINAL"),
            program => program,
        };
        Self {
            term: read("TERM"),
            program,
            colours: read("COLORTERM"),
            multiplexer: !read("TMUX").is_empty() || !read("STY").is_empty(),
            kitty: !read("KITTY_WINDOW_ID").is_empty(),
            konsole: !read("KONSOLE_VERSION").is_empty(),
            font: font(),
        }
    }
}

fn font() -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    let (columns, rows) = (size.ws_col, size.ws_row);
    if columns == 0 || rows == 0 {
        return None;
    }
    Some((size.ws_xpixel / columns, size.ws_ypixel / rows))
        .filter(|(width, height)| *width > 0 && *height > 0)
}

/// Returns how pictures are drawn on this terminal in this mode. A protocol that the user names is used without a
/// check.
#[must_use]
pub fn drawing(mode: PictureMode, terminal: &Terminal, replies: Replies) -> Drawing {
    let tmux = terminal.multiplexer;
    let font = replies.font.or(terminal.font);
    let protocol = match mode {
        PictureMode::Kitty => GraphicsProtocol::Kitty,
        PictureMode::Sixel => GraphicsProtocol::Sixel,
        PictureMode::Iterm => GraphicsProtocol::Iterm,
        PictureMode::Blocks | PictureMode::Sextants | PictureMode::Octants | PictureMode::Off => {
            GraphicsProtocol::Blocks
        }
        // Inside a multiplexer the environment may be that of another terminal, and pictures disappear or remain,
        // unless the outer terminal supports placeholders.
        PictureMode::Auto if tmux => {
            if replies.kitty {
                GraphicsProtocol::Kitty
            } else {
                GraphicsProtocol::Blocks
            }
        }
        // Without the size of a cell a picture would not fit its area.
        PictureMode::Auto if font.is_none() => GraphicsProtocol::Blocks,
        PictureMode::Auto if replies.any => from_replies(terminal, replies),
        // The version of kitty is unknown.
        PictureMode::Auto if known(terminal) == GraphicsProtocol::Kitty && !is_ghostty(terminal) => {
            GraphicsProtocol::Blocks
        }
        PictureMode::Auto => known(terminal),
    };
    let font = if protocol == GraphicsProtocol::Blocks { BLOCK } else { font.unwrap_or(DEFAULT_FONT) };
    let deep = is_deep(terminal) || replies.deep || replies.kitty;
    let pixels = match mode {
        PictureMode::Sextants => CellPixels::Sextant,
        PictureMode::Octants => CellPixels::Octant,
        PictureMode::Auto if draws_sextants(terminal) => CellPixels::Sextant,
        _ => CellPixels::Half,
    };
    Drawing { protocol, font, tmux, deep, pixels }
}

/// Returns whether this terminal is known to draw sextants itself, whatever its font has; no terminal can be asked. What a
/// multiplexer shows them in is not known.
fn draws_sextants(terminal: &Terminal) -> bool {
    let (term, program) = (terminal.term.as_str(), terminal.program.as_str());
    let named = term.contains("kitty") || term.starts_with("foot") || term.contains("wezterm");
    let known = named || terminal.kitty || program.contains("WezTerm") || is_ghostty(terminal);
    known && !terminal.multiplexer && !terminal.konsole
}

/// Returns whether the environment promises 24-bit colours. SSH doesn't forward `COLORTERM`.
#[must_use]
pub fn is_deep(terminal: &Terminal) -> bool {
    matches!(terminal.colours.as_str(), "truecolor" | "24bit")
        || known(terminal) != GraphicsProtocol::Blocks
        || ["direct", "kitty", "foot", "alacritty"].iter().any(|it| terminal.term.contains(it))
}

fn is_ghostty(terminal: &Terminal) -> bool {
    terminal.term.contains("ghostty") || terminal.program.contains("ghostty")
}

/// Returns the protocol by the terminal's replies. iTerm2's protocol can't be queried, and in some terminals the other
/// protocols are known to be broken.
fn from_replies(terminal: &Terminal, replies: Replies) -> GraphicsProtocol {
    match known(terminal) {
        GraphicsProtocol::Iterm => GraphicsProtocol::Iterm,
        _ if terminal.konsole => GraphicsProtocol::Blocks,
        // Others accept the pictures but show boxes for the placeholders.
        _ if replies.kitty && (replies.placeholders || is_ghostty(terminal)) => GraphicsProtocol::Kitty,
        _ if replies.sixel => GraphicsProtocol::Sixel,
        _ => GraphicsProtocol::Blocks,
    }
}

fn known(terminal: &Terminal) -> GraphicsProtocol {
    let (term, program) = (terminal.term.as_str(), terminal.program.as_str());
    // Konsole and WezTerm support kitty's protocol, but not its placeholders.
    if program.contains("WezTerm") || term.contains("wezterm") {
        return GraphicsProtocol::Iterm;
    }
    if terminal.kitty || term.contains("kitty") || is_ghostty(terminal) {
        return GraphicsProtocol::Kitty;
    }
    if ["iTerm", "mintty", "rio", "Tabby", "vscode"].iter().any(|it| program.contains(it)) {
        return GraphicsProtocol::Iterm;
    }
    if term.starts_with("foot") || term.contains("sixel") || term.starts_with("mlterm") {
        return GraphicsProtocol::Sixel;
    }
    GraphicsProtocol::Blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal(term: &str, program: &str) -> Terminal {
        let font = Some((9, 18));
        Terminal { term: term.into(), program: program.into(), font, ..Terminal::default() }
    }

    fn unasked(mode: PictureMode, terminal: &Terminal) -> Drawing {
        drawing(mode, terminal, Replies::default())
    }

    #[test]
    fn replies_of_the_terminal_take_precedence_over_the_environment() {
        let protocol = |terminal: &Terminal, replies| drawing(PictureMode::Auto, terminal, replies).protocol;
        let any = Replies { any: true, ..Replies::default() };
        let kitty = Replies { kitty: true, placeholders: true, ..any };
        let sixel = Replies { sixel: true, ..any };
        let plain = terminal("xterm-256color", "");
        assert_eq!(protocol(&plain, kitty), GraphicsProtocol::Kitty);
        let old = Replies { placeholders: false, ..kitty };
        assert_eq!(
            protocol(&terminal("xterm-kitty", ""), old),
            GraphicsProtocol::Blocks,
            "kitty 0.26 shows boxes"
        );
        assert_eq!(protocol(&plain, Replies { sixel: true, ..old }), GraphicsProtocol::Sixel);
        assert_eq!(protocol(&plain, sixel), GraphicsProtocol::Sixel);
        assert_eq!(protocol(&terminal("xterm-kitty", ""), any), GraphicsProtocol::Blocks);
        assert_eq!(protocol(&terminal("xterm-256color", "WezTerm"), kitty), GraphicsProtocol::Iterm);
        assert_eq!(protocol(&Terminal { konsole: true, ..plain.clone() }, kitty), GraphicsProtocol::Blocks);
        let inside = Terminal { multiplexer: true, ..plain };
        assert_eq!(protocol(&inside, sixel), GraphicsProtocol::Blocks);
        assert_eq!(protocol(&inside, kitty), GraphicsProtocol::Kitty);
    }

    #[test]
    fn the_size_of_a_cell_can_be_reported() {
        let unknown = Terminal { font: None, ..terminal("xterm-256color", "") };
        let font = Some((8, 17));
        let replies = Replies { any: true, kitty: true, placeholders: true, font, ..Replies::default() };
        let drawing = drawing(PictureMode::Auto, &unknown, replies);
        assert_eq!((drawing.protocol, drawing.font), (GraphicsProtocol::Kitty, (8, 17)));
    }

    #[test]
    fn known_terminals_use_their_own_protocol() {
        let protocol = |term, program| unasked(PictureMode::Auto, &terminal(term, program)).protocol;
        assert_eq!(protocol("xterm-kitty", ""), GraphicsProtocol::Blocks, "its version is not known");
        assert_eq!(protocol("xterm-ghostty", "ghostty"), GraphicsProtocol::Kitty);
        assert_eq!(protocol("xterm-256color", "iTerm.app"), GraphicsProtocol::Iterm);
        assert_eq!(protocol("xterm-256color", "WezTerm"), GraphicsProtocol::Iterm);
        assert_eq!(protocol("foot", ""), GraphicsProtocol::Sixel);
        assert_eq!(protocol("xterm-256color", ""), GraphicsProtocol::Blocks);
    }

    #[test]
    fn half_blocks_are_used_inside_tmux_unless_another_mode_is_chosen() {
        let inside = Terminal { multiplexer: true, kitty: true, ..terminal("tmux-256color", "tmux") };
        assert_eq!(unasked(PictureMode::Auto, &inside).protocol, GraphicsProtocol::Blocks);
        let asked = unasked(PictureMode::Kitty, &inside);
        assert_eq!((asked.protocol, asked.tmux), (GraphicsProtocol::Kitty, true));
    }

    #[test]
    fn without_the_size_of_a_cell_half_blocks_are_used() {
        let unknown = Terminal { font: None, ..terminal("xterm-kitty", "") };
        assert_eq!(unasked(PictureMode::Auto, &unknown).protocol, GraphicsProtocol::Blocks);
        assert_eq!(unasked(PictureMode::Kitty, &unknown).font, DEFAULT_FONT);
    }

    #[test]
    fn sextants_are_used_in_terminals_that_are_known_to_draw_them_or_if_they_are_chosen() {
        let pixels = |mode, terminal: &Terminal| unasked(mode, terminal).pixels;
        let auto = |term| pixels(PictureMode::Auto, &terminal(term, ""));
        assert_eq!((auto("xterm-kitty"), auto("foot")), (CellPixels::Sextant, CellPixels::Sextant));
        assert_eq!((auto("xterm-256color"), auto("linux")), (CellPixels::Half, CellPixels::Half));
        let inside = Terminal { multiplexer: true, kitty: true, ..terminal("tmux-256color", "tmux") };
        assert_eq!(pixels(PictureMode::Auto, &inside), CellPixels::Half);
        assert_eq!(pixels(PictureMode::Octants, &inside), CellPixels::Octant);
        assert_eq!(pixels(PictureMode::Blocks, &terminal("xterm-kitty", "")), CellPixels::Half);
    }

    #[test]
    fn few_colours_are_used_unless_the_terminal_has_more() {
        assert!(!unasked(PictureMode::Auto, &terminal("xterm-256color", "")).deep);
        let deep = Terminal { colours: "truecolor".into(), ..terminal("xterm-256color", "") };
        assert!(unasked(PictureMode::Auto, &deep).deep);
        let said = Replies { any: true, deep: true, ..Replies::default() };
        assert!(drawing(PictureMode::Auto, &terminal("xterm-256color", ""), said).deep, "over SSH");
    }
}
