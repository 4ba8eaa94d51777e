//! Server-sent events: the bytes of a streamed response, in whatever pieces they come, as events.

/// The longest event, in bytes.
const MAX_EVENT_BYTES: usize = 8 << 20;

/// An event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Event {
    /// Its type; empty if the server says none.
    pub(crate) name: String,
    /// Its lines of data.
    pub(crate) data: String,
}

/// Takes bytes and returns events.
#[derive(Debug, Default)]
pub(crate) struct Events {
    /// The line that is not complete.
    line: Vec<u8>,
    /// The last line ended in CR: an LF that follows belongs to it.
    after_cr: bool,
    /// The first line was seen, so that a byte order mark is no longer expected.
    begun: bool,
    name: String,
    data: Option<String>,
}

impl Events {
    /// Takes the next bytes and returns the events that they complete.
    ///
    /// # Errors
    /// A sentence: an event is too long, or is not UTF-8.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<Vec<Event>, String> {
        let mut events = Vec::new();
        for &byte in bytes {
            match byte {
                b'\n' if self.after_cr => self.after_cr = false,
                b'\n' | b'\r' => {
                    self.after_cr = byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    events.extend(self.end_line(&line)?);
                }
                byte => {
                    self.after_cr = false;
                    self.line.push(byte);
                }
            }
            if self.line.len() + self.data.as_ref().map_or(0, String::len) > MAX_EVENT_BYTES {
                return Err(format!("an event of the response has more than {} MiB", MAX_EVENT_BYTES >> 20));
            }
        }
        Ok(events)
    }

    /// Handles a complete line; an empty one completes an event.
    fn end_line(&mut self, line: &[u8]) -> Result<Option<Event>, String> {
        let line = std::str::from_utf8(line).map_err(|_| "the response is not UTF-8".to_owned())?;
        let line = if self.begun { line } else { line.trim_start_matches('\u{feff}') };
        self.begun = true;
        if line.is_empty() {
            let name = std::mem::take(&mut self.name);
            return Ok(self.data.take().map(|data| Event { name, data }));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.name = value.to_owned(),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            // A comment, an id, or a field of a later version.
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(name: &str, data: &str) -> Event {
        Event { name: name.into(), data: data.into() }
    }

    fn all(text: &[u8]) -> Vec<Event> {
        Events::default().take(text).unwrap()
    }

    #[test]
    fn events_are_read_with_every_end_of_line_and_without_comments() {
        let text = "\u{feff}: hello\r\ndata: one\r\n\r\n:keep-alive\nevent: two\ndata:2\ndata:  more\nid: 7\n\n\n\rdata\r\r\ndata: cut";
        let expected = [event("", "one"), event("two", "2\n more"), event("", "")];
        assert_eq!(all(text.as_bytes()), expected);
    }

    proptest! {
        #[test]
        fn it_makes_no_difference_where_the_pieces_end(
            lines in prop::collection::vec("(data: [a-zäß€😀]{0,6}|event: x|: c|)", 0..12),
            ends in prop::collection::vec(prop_oneof![Just("\n"), Just("\r\n"), Just("\r")], 12),
            cuts in prop::collection::vec(0..200_usize, 0..8),
        ) {
            let text: String = lines.iter().zip(&ends).map(|(line, end)| format!("{line}{end}")).collect();
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|at| at.min(bytes.len())).chain([0, bytes.len()]).collect();
            cuts.sort_unstable();
            let mut events = Events::default();
            let pieces = cuts.windows(2).flat_map(|at| events.take(&bytes[at[0]..at[1]]).unwrap()).collect::<Vec<_>>();
            prop_assert_eq!(pieces, all(bytes));
        }
    }

    #[test]
    fn an_event_without_an_end_takes_no_memory() {
        let mut events = Events::default();
        let piece = vec![b'x'; 1 << 20];
        let error = (0..20).find_map(|_| events.take(&piece).err()).unwrap();
        assert!(error.contains("more than 8 MiB"), "{error}");
        assert_eq!(Events::default().take(b"data: \xff\n\n").unwrap_err(), "the response is not UTF-8");
    }
}
