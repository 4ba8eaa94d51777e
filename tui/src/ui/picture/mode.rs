//! The modes of pictures that a user can choose.

/// How pictures are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PictureMode {
    /// As the terminal supports it.
    #[default]
    Auto,
    /// By kitty's protocol.
    Kitty,
    /// By sixels.
    Sixel,
    /// By iTerm2's protocol.
    Iterm,
    /// By half blocks, which every terminal with colours has.
    Blocks,
    /// By sextants: six pixels of two colours in a cell.
    Sextants,
    /// By octants: eight pixels of two colours in a cell.
    Octants,
    /// Not at all; names and sizes are shown instead.
    Off,
}

impl PictureMode {
    /// All, by their names.
    pub const NAMES: [(&str, Self); 8] = [
        ("auto", Self::Auto),
        ("kitty", Self::Kitty),
        ("sixel", Self::Sixel),
        ("iterm", Self::Iterm),
        ("blocks", Self::Blocks),
        ("sextants", Self::Sextants),
        ("octants", Self::Octants),
        ("off", Self::Off),
    ];

    /// Returns the one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(it, _)| *it == name).map(|(_, mode)| *mode)
    }
}
