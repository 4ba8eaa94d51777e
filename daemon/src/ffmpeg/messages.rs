//! The messages of ffmpeg.

use fanlight_shared::value::cut;

/// The levels that say why it failed.
const ERRORS: [&str; 3] = ["error", "fatal", "panic"];

/// What it printed with `-loglevel level+…`: lines such as `[mov @ 0x55d6] [error] moov atom not found`. At the level
/// `info` they contain titles and other text of the file, which must not pass for a message.
#[derive(Default, Debug)]
pub(crate) struct Messages(String);

impl From<String> for Messages {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Messages {
    /// Returns the messages of these levels, without what precedes them in their lines.
    pub(crate) fn of(&self, levels: &[&str]) -> impl Iterator<Item = &str> {
        self.0.lines().filter_map(move |line| {
            let (level, message) = split(line)?;
            levels.contains(&level).then_some(message)
        })
    }

    fn errors(&self) -> impl Iterator<Item = &str> {
        self.of(&ERRORS)
    }

    /// Returns whether an error has one of these texts.
    pub(super) fn has_error(&self, texts: &[&str]) -> bool {
        self.errors().any(|message| texts.iter().any(|text| message.contains(text)))
    }

    /// Returns the first error, which says more than those that follow from it.
    pub(super) fn reason(&self) -> Option<&str> {
        self.errors().map(str::trim).find(|message| !message.is_empty())
    }

    /// Returns the part of ffmpeg that its build left out.
    pub(super) fn missing(&self) -> Option<String> {
        let named = |begin: &str, what: &str| {
            let rest = self.errors().find_map(|message| message.strip_prefix(begin))?;
            Some(format!("the {what} `{}`", cut(rest.split('\'').next()?, 60)))
        };
        named("Unknown encoder '", "encoder").or_else(|| named("No such filter: '", "filter"))
    }
}

/// Returns the level and the message of a line. A line that continues another one has neither.
fn split(line: &str) -> Option<(&str, &str)> {
    let (mut inside, mut rest) = line.strip_prefix('[')?.split_once("] ")?;
    // The parts of ffmpeg that speak come first, as `[name @ address]`.
    while inside.contains(" @ 0x") {
        (inside, rest) = rest.strip_prefix('[')?.split_once("] ")?;
    }
    Some((inside, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> Messages {
        text.to_owned().into()
    }

    #[test]
    fn the_first_error_is_the_reason() {
        let opened = messages(
            "\n[info] Input #0, mov, from 'a':\n[in#0 @ 0x55d6] [warning] it is odd\n\
             [in#0 @ 0x55d6] [mov @ 0x55d7] [error] moov atom not found\n[fatal] Error opening input files\n",
        );
        assert_eq!(opened.reason(), Some("moov atom not found"));
        assert_eq!(messages("[fatal] Conversion failed!\n").reason(), Some("Conversion failed!"));
        assert_eq!(messages(" \n[error] \n[info] x\n").reason(), None);
    }

    #[test]
    fn the_text_of_a_file_is_not_an_error() {
        let titled = messages(
            "[info]     title           : [error] No space left on device\n                    : [error] x\n\
             [mov @ 0x1] [error] Packet corrupt\n",
        );
        assert_eq!(titled.reason(), Some("Packet corrupt"));
        assert!(!titled.has_error(&["No space left on device"]) && titled.has_error(&["x", "corrupt"]));
        assert_eq!(titled.of(&["warning"]).count(), 0);
    }

    #[test]
    fn a_part_that_a_build_leaves_out_is_named() {
        let unknown = messages("[vost#0:0 @ 0x1] [fatal] Unknown encoder 'libx264'\n[error] Error\n");
        assert_eq!(unknown.missing().as_deref(), Some("the encoder `libx264`"));
        let unknown = messages("[AVFilterGraph @ 0x2] [error] No such filter: 'subtitles'\n");
        assert_eq!(unknown.missing().as_deref(), Some("the filter `subtitles`"));
        assert_eq!(messages("[error] moov atom not found").missing(), None);
    }
}
