//! A log as it is read: its end first, older parts as the user scrolls up, new parts as they arrive. Bounded.

use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::logs::{Part, Piece, Read, Stream};

/// Bytes a request.
const PAGE: u64 = 64 * 1024;
/// The maximum number of lines; beyond it, the older half is dropped.
const MAX_LINES: usize = 40_000;

/// Whose log it is.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Of {
    pub(super) run: RunId,
    pub(super) node: String,
    pub(super) item: ItemPath,
    pub(super) attempt: Option<u32>,
}

/// The part of a log that was read.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Log {
    of: Option<Of>,
    lines: Vec<(Stream, String)>,
    /// The lines with folded reasoning, if there is any and it is hidden.
    folded: Option<Vec<(Stream, String)>>,
    /// Whether reasoning is shown.
    reasons: bool,
    /// Whether the last line is incomplete.
    open: bool,
    begin: u64,
    next: u64,
    waiting: bool,
    /// Older lines were dropped, or the daemon no longer has them.
    pub(super) cut: bool,
    pub(super) read: bool,
    /// Why the last request failed.
    pub(super) error: Option<String>,
}

impl Log {
    /// Starts with the end of a log; `end` is its last known end.
    pub(super) fn begin(of: Of, end: u64) -> (Self, Read) {
        let offset = end.saturating_sub(PAGE);
        let log = Self { of: Some(of), begin: offset, next: offset, waiting: true, ..Self::default() };
        let read = log.request(offset, PAGE);
        (log, read)
    }

    fn request(&self, offset: u64, limit: u64) -> Read {
        let of = self.of.clone();
        Read {
            run_id: of.as_ref().map_or_else(|| RunId::from_bytes([0; 16]), |of| of.run),
            node: of.as_ref().map(|of| of.node.clone()).unwrap_or_default(),
            item: of.as_ref().map(|of| of.item).unwrap_or_default(),
            attempt: of.and_then(|of| of.attempt),
            offset,
            limit: Some(u32::try_from(limit).unwrap_or(u32::MAX)),
        }
    }

    /// Returns whether it is this log.
    pub(super) fn is_of(&self, of: &Of) -> bool {
        self.of.as_ref() == Some(of)
    }

    /// Returns the lines to show.
    pub(super) fn shown(&self) -> &[(Stream, String)] {
        self.folded.as_ref().unwrap_or(&self.lines)
    }

    /// Returns whether there is reasoning among its lines.
    pub(super) fn has_reasoning(&self) -> bool {
        self.lines.iter().any(|(stream, _)| *stream == Stream::Reasoning)
    }

    /// Shows reasoning, or folds it. Returns the row of the line that was in this row.
    pub(super) fn turn_reasoning(&mut self, row: usize) -> usize {
        let line = self.line_of(row);
        self.reasons = !self.reasons;
        self.fold();
        self.row_of(line)
    }

    /// Returns the stretches of one stream: the first line and row of each, and how many rows it takes.
    fn stretches(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let (mut line, mut row) = (0, 0);
        self.lines.chunk_by(|(one, _), (next, _)| one == next).map(move |lines| {
            let folded = self.folded.is_some() && lines[0].0 == Stream::Reasoning;
            let rows = if folded { 1 } else { lines.len() };
            let stretch = (line, row, rows);
            line += lines.len();
            row += rows;
            stretch
        })
    }

    fn line_of(&self, row: usize) -> usize {
        let of = self.stretches().take_while(|(_, first, _)| *first <= row).last();
        of.map_or(row, |(line, first, _)| line + row - first)
    }

    fn row_of(&self, line: usize) -> usize {
        let of = self.stretches().take_while(|(first, ..)| *first <= line).last();
        of.map_or(line, |(first, row, rows)| row + (line - first).min(rows - 1))
    }

    fn fold(&mut self) {
        self.folded = (!self.reasons && self.has_reasoning()).then(|| folded(&self.lines));
    }

    /// Adds a response; returns what is to be read next. Responses to other requests change nothing.
    pub(super) fn take(&mut self, read: &Read, part: &Part) -> Option<Read> {
        let next = self.add(read, part);
        self.fold();
        next
    }

    fn add(&mut self, read: &Read, part: &Part) -> Option<Read> {
        let mine = self.of.as_ref().is_some_and(|of| {
            of.run == read.run_id
                && of.node == read.node
                && of.item == read.item
                && of.attempt == read.attempt
        });
        // A failed request may be repeated after others have continued from its position.
        let late = self.read && read.offset >= self.begin && read.offset != self.next;
        if !mine || !(self.waiting || self.error.is_some()) || late {
            return None;
        }
        self.waiting = false;
        self.error = None;
        if self.read && read.offset < self.begin {
            self.before(read.offset, &part.pieces);
            return None;
        }
        if !self.read && part.end > part.next + PAGE {
            // Longer than known: first read its end.
            let offset = part.end - PAGE;
            (self.begin, self.next, self.waiting) = (offset, offset, true);
            return Some(self.request(offset, PAGE));
        }
        if !self.read {
            self.begin = part.offset;
        } else if part.offset > self.next {
            self.lines.push((Stream::Log, "… some of the log was dropped here …".to_owned()));
            self.open = false;
        }
        self.read = true;
        self.next = part.next;
        self.append(&part.pieces);
        // A part that begins with half a character is empty until the command writes more, which is an update of the log.
        (read.offset < part.next && part.next < part.end).then(|| self.after()).flatten()
    }

    /// Returns the next part, unless one is being read.
    pub(super) fn after(&mut self) -> Option<Read> {
        if !self.read || std::mem::replace(&mut self.waiting, true) {
            return None;
        }
        Some(self.request(self.next, 4 * PAGE))
    }

    /// Returns the part before the first line, unless it is there or being read.
    pub(super) fn older(&mut self) -> Option<Read> {
        if !self.read || self.begin == 0 || self.cut || std::mem::replace(&mut self.waiting, true) {
            return None;
        }
        let offset = self.begin.saturating_sub(PAGE);
        Some(self.request(offset, self.begin - offset))
    }

    /// Handles a failed request.
    pub(super) fn failed(&mut self, read: &Read, error: &str) {
        let mine = self.of.as_ref().is_some_and(|of| of.run == read.run_id && of.node == read.node);
        if mine {
            self.waiting = false;
            self.error = Some(error.to_owned());
        }
    }

    fn append(&mut self, pieces: &[Piece]) {
        for piece in pieces {
            for (index, line) in piece.text.split('\n').enumerate() {
                let continues = index == 0 && self.open;
                match self.lines.last_mut() {
                    Some((stream, last)) if continues && *stream == piece.stream => last.push_str(line),
                    _ => self.lines.push((piece.stream, line.to_owned())),
                }
            }
            // After the last line break a new line begins, which is often empty.
            self.open = true;
            if piece.text.ends_with('\n') {
                self.lines.pop();
                self.open = false;
            }
        }
        if self.lines.len() > MAX_LINES {
            self.lines.drain(..MAX_LINES / 2);
            self.cut = true;
        }
    }

    fn before(&mut self, offset: u64, pieces: &[Piece]) {
        let mut older = Self::default();
        older.append(pieces);
        if older.open
            && let (Some((stream, last)), Some((of, first))) = (older.lines.last_mut(), self.lines.first())
            && stream == of
        {
            last.push_str(first);
            self.lines.remove(0);
        }
        self.begin = offset;
        older.lines.append(&mut self.lines);
        self.lines = older.lines;
    }
}

/// Returns the lines with one line in place of each block of reasoning.
fn folded(lines: &[(Stream, String)]) -> Vec<(Stream, String)> {
    let mut folded = Vec::new();
    for stretch in lines.chunk_by(|(one, _), (next, _)| one == next) {
        match stretch {
            [(Stream::Reasoning, _), ..] => {
                let words = crate::text::count(stretch.len(), "line");
                folded.push((Stream::Reasoning, format!("▸ reasoning, {words}")));
            }
            other => folded.extend_from_slice(other),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of() -> Of {
        Of { run: RunId::from_bytes([1; 16]), node: "a".to_owned(), item: ItemPath::WHOLE, attempt: None }
    }

    fn part(offset: u64, text: &str, end: u64) -> Part {
        let pieces = vec![Piece { stream: Stream::Stdout, text: text.to_owned() }];
        Part { attempt: 1, offset, pieces, next: offset + text.len() as u64, end, ended: false, limit: 0 }
    }

    fn lines(log: &Log) -> Vec<&str> {
        log.lines.iter().map(|(_, line)| line.as_str()).collect()
    }

    #[test]
    fn a_line_that_arrives_in_two_parts_is_one_line() {
        let (mut log, read) = Log::begin(of(), 0);
        assert_eq!(log.take(&read, &part(0, "one\ntw", 6)), None);
        let read = log.after().unwrap();
        assert_eq!(read.offset, 6);
        log.take(&read, &part(6, "o\n", 8));
        assert_eq!(lines(&log), ["one", "two"]);
    }

    #[test]
    fn reasoning_is_folded_until_it_is_opened() {
        let (mut log, read) = Log::begin(of(), 0);
        let piece = |stream, text: &str| Piece { stream, text: text.to_owned() };
        let mut answer = part(0, "", 26);
        answer.pieces = vec![
            piece(Stream::Reasoning, "first\nthis\n"),
            piece(Stream::Stdout, "so it is\n"),
            piece(Stream::Reasoning, "hm"),
        ];
        answer.next = 26;
        log.take(&read, &answer);
        let shown = |log: &Log| log.shown().iter().map(|(_, line)| line.clone()).collect::<Vec<_>>();
        assert_eq!(shown(&log), ["▸ reasoning, 2 lines", "so it is", "▸ reasoning, 1 line"]);
        assert_eq!(log.turn_reasoning(1), 2, "the line stays in view");
        assert_eq!(shown(&log), ["first", "this", "so it is", "hm"]);
        let read = log.after().unwrap();
        let mut more = part(26, "", 30);
        more.pieces = vec![piece(Stream::Reasoning, "m ah")];
        log.take(&read, &more);
        assert_eq!(shown(&log).last().unwrap(), "hmm ah");
        assert_eq!(log.turn_reasoning(1), 0);
        assert_eq!(shown(&log).len(), 3);
    }

    #[test]
    fn the_end_of_a_log_is_read_first_and_then_older_lines() {
        let (mut log, read) = Log::begin(of(), PAGE + 6);
        assert_eq!(read.offset, 6);
        log.take(&read, &part(6, "o\nthree\n", 14));
        assert_eq!(lines(&log), ["o", "three"]);
        let read = log.older().unwrap();
        assert_eq!((read.offset, read.limit), (0, Some(6)));
        log.take(&read, &part(0, "one\ntw", 14));
        assert_eq!(lines(&log), ["one", "two", "three"]);
        assert_eq!(log.older(), None);
    }

    #[test]
    fn a_log_that_has_grown_is_read_from_its_end() {
        let (mut log, read) = Log::begin(of(), 0);
        let next = log.take(&read, &part(0, "old\n", 10 * PAGE)).unwrap();
        assert_eq!(next.offset, 9 * PAGE);
        log.take(&next, &part(9 * PAGE, "new\n", 9 * PAGE + 4));
        assert_eq!(lines(&log), ["new"]);
    }

    #[test]
    fn half_a_character_at_the_end_is_not_requested_again_and_again() {
        let (mut log, read) = Log::begin(of(), 0);
        let half = Part { next: 0, end: 1, pieces: Vec::new(), ..part(0, "", 1) };
        assert_eq!(log.take(&read, &half), None);
        let next = log.after().expect("the log has grown");
        log.take(&next, &part(0, "é\n", 3));
        assert_eq!(lines(&log), ["é"]);
    }

    #[test]
    fn failed_requests_can_be_retried_without_duplicates() {
        let (mut log, read) = Log::begin(of(), 0);
        log.failed(&read, "no luck");
        assert_eq!(log.error.as_deref(), Some("no luck"));
        log.take(&read, &part(0, "one\n", 4));
        assert_eq!((lines(&log), log.error.as_deref()), (vec!["one"], None));
        log.failed(&read, "no luck");
        log.take(&read, &part(0, "one\n", 4));
        assert_eq!(lines(&log), ["one"]);
    }

    #[test]
    fn the_answer_to_another_request_changes_nothing() {
        let (mut log, mut read) = Log::begin(of(), 0);
        read.node = "b".to_owned();
        log.take(&read, &part(0, "theirs\n", 7));
        assert!(log.lines.is_empty());
    }
}
