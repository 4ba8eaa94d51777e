//! The fonts that are compiled in.

use std::sync::LazyLock;

use ab_glyph::FontRef;

/// The font Lato, as a file.
pub(super) const REGULAR_FILE: &[u8] = include_bytes!("../../assets/Lato-Regular.ttf");

static REGULAR: LazyLock<Option<FontRef<'static>>> =
    LazyLock::new(|| FontRef::try_from_slice(REGULAR_FILE).ok());
static HEAVY: LazyLock<Option<FontRef<'static>>> =
    LazyLock::new(|| FontRef::try_from_slice(include_bytes!("../../assets/Lato-Heavy.ttf")).ok());

/// The thickness of letters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Weight {
    Regular,
    Heavy,
}

impl Weight {
    /// Returns the font of this weight.
    ///
    /// # Errors
    /// It is damaged.
    pub(super) fn font(self) -> Result<&'static FontRef<'static>, String> {
        let font = match self {
            Self::Regular => REGULAR.as_ref(),
            Self::Heavy => HEAVY.as_ref(),
        };
        font.ok_or_else(|| "the font can't be read".into())
    }
}
