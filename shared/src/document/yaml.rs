//! Reads the file into a tree in which every node has its position. A reader derived by serde would stop at the first
//! error; this one doesn't.

mod surrogates;
pub(in crate::document) mod traps;

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput};

use crate::problem::{Position, Problem, Span};
use crate::value::DEPTH_LIMIT;

/// The maximum size of a workflow file, in bytes.
pub const FILE_LIMIT: usize = 1 << 20;
/// The most traps that are looked for; locating one takes a walk through the file.
const TRAP_LIMIT: usize = 100;
/// The most nodes that aliases may add.
const COPY_LIMIT: usize = 100_000;

/// A part of the file.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    /// Its byte range in the file.
    pub(crate) raw: Range<usize>,
    /// The number of nodes in it, itself included.
    size: usize,
}

impl Node {
    /// Returns the text of a single value.
    pub(crate) fn scalar_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(scalar.text.trim()),
            _ => None,
        }
    }
}

/// The kinds of parts of a file.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A single value.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file, each key once.
    Map(Vec<Entry>),
}

/// A single value as text.
#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    /// Whether it is written without quotes and not as a block, so that `true` and `1` are not text.
    pub(crate) plain: bool,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Node,
}

/// Reads a file; returns `None` if it is empty.
///
/// # Errors
/// A syntax error, or an exceeded limit.
pub(crate) fn read(text: &str, problems: &mut Vec<Problem>) -> Result<Option<Node>, Problem> {
    if text.len() > FILE_LIMIT {
        let message = format!("the file has {} bytes; at most {FILE_LIMIT} (1 MiB) are read", text.len());
        return Err(Problem::error("file_too_large", start_of_file(), message)
            .hint("keep data in separate files and pass them as params"));
    }
    if let Some(at) = text.find('\0') {
        let before = &text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        let at = Position { line: short(line), column: short(column) };
        let span = Span { start: at, end: Position { column: at.column + 1, ..at } };
        return Err(Problem::error("not_text", span, "the file holds a zero byte, so it is not a text file"));
    }
    let offsets = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
    let joined = surrogates::joined(text);
    let mut reader = Reader {
        text,
        offsets,
        is_joined: joined.is_some(),
        events: Parser::new_from_str(joined.as_deref().unwrap_or(text)),
        problems,
        anchors: HashMap::new(),
        copied: 0,
    };
    let root = reader.document()?;
    for anchor in reader.anchors.values().filter(|anchor| !anchor.used).take(TRAP_LIMIT) {
        reader.problems.push(traps::unused_anchor(text, &anchor.node));
    }
    Ok(root)
}

fn start_of_file() -> Span {
    let start = Position { line: 1, column: 1 };
    Span { start, end: start }
}

struct Anchor {
    node: Node,
    used: bool,
}

struct Reader<'t, 'p> {
    text: &'t str,
    /// The byte offset of each character; `None` where all are one byte.
    offsets: Option<Vec<usize>>,
    /// Whether pairs of surrogates were joined before it was parsed.
    is_joined: bool,
    events: Parser<'t, StrInput<'t>>,
    problems: &'p mut Vec<Problem>,
    anchors: HashMap<usize, Anchor>,
    copied: usize,
}

impl<'t> Reader<'t, '_> {
    fn next(&mut self) -> Result<(Event<'t>, saphyr_parser::Span), Problem> {
        match self.events.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(traps::syntax_error(
                self.text,
                position(error.marker()),
                self.offset(error.marker()),
                error.info(),
            )),
            None => Err(Problem::error("yaml_syntax", start_of_file(), "the file ends too early")),
        }
    }

    fn offset(&self, marker: &Marker) -> usize {
        match &self.offsets {
            Some(offsets) => offsets.get(marker.index()).copied().unwrap_or(self.text.len()),
            None => marker.index().min(self.text.len()),
        }
    }

    fn document(&mut self) -> Result<Option<Node>, Problem> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::DocumentStart(_) if root.is_some() => {
                    let message = "a second document begins here";
                    return Err(Problem::error("second_document", spanned(&span), message)
                        .hint("one file holds one workflow; remove the `---` and what follows"));
                }
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                event => root = Some(self.node(event, span, 0)?),
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: saphyr_parser::Span, depth: usize) -> Result<Node, Problem> {
        if depth > DEPTH_LIMIT {
            let message = format!("this is nested deeper than {DEPTH_LIMIT} levels");
            return Err(Problem::error("too_deep", spanned(&span), message));
        }
        let raw = self.offset(&span.start)..self.offset(&span.end);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let core_text =
                    tag.as_ref().is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
                let plain = style == ScalarStyle::Plain && !core_text;
                let text = if self.is_joined { surrogates::read(&text) } else { text.into_owned() };
                let scalar = Scalar { text, plain };
                let node = Node { kind: Kind::Scalar(scalar), span: spanned(&span), raw, size: 1 };
                if tag.is_some() && !core_text && self.problems.len() < TRAP_LIMIT {
                    self.problems.push(traps::tag(self.text, &node));
                }
                if plain {
                    self.problems.extend(traps::comment(self.text, &node));
                }
                self.remember(anchor, &node)?;
                Ok(node)
            }
            Event::SequenceStart(anchor, tag) => {
                let mut items = Vec::new();
                let end = loop {
                    let (event, span) = self.next()?;
                    if event == Event::SequenceEnd {
                        break span;
                    }
                    items.push(self.node(event, span, depth + 1)?);
                };
                let size = 1 + items.iter().map(|item| item.size).sum::<usize>();
                let last = items.last().map(|item| (item.span.end, item.raw.end));
                self.collection(Kind::List(items), size, &span, &end, last, anchor, tag.is_some())
            }
            Event::MappingStart(anchor, tag) => {
                let mut entries: Vec<Entry> = Vec::new();
                let mut known: HashMap<String, u32> = HashMap::new();
                let mut size = 1;
                let end = loop {
                    let (event, span) = self.next()?;
                    if event == Event::MappingEnd {
                        break span;
                    }
                    let key = self.node(event, span, depth + 1)?;
                    let (event, span) = self.next()?;
                    let value = self.node(event, span, depth + 1)?;
                    size += key.size + value.size;
                    let Kind::Scalar(Scalar { text, .. }) = key.kind else {
                        self.problems.push(traps::complex_key(self.text, &key));
                        continue;
                    };
                    if let Some(line) = known.get(&text) {
                        let message = format!("the key `{text}` appears here a second time");
                        self.problems.push(
                            Problem::error("duplicate_key", key.span, message)
                                .hint(format!("it is already in line {line}; keep one of them")),
                        );
                        continue;
                    }
                    if text == "<<" {
                        let message = "YAML 1.2 has no merge key `<<`";
                        self.problems.push(
                            Problem::error("merge_key", key.span, message)
                                .hint("write the keys out, or use an alias for the whole value"),
                        );
                        continue;
                    }
                    known.insert(text.clone(), key.span.start.line);
                    entries.push(Entry { key: text, key_span: key.span, value });
                };
                let last = entries.last().map(|entry| (entry.value.span.end, entry.value.raw.end));
                self.collection(Kind::Map(entries), size, &span, &end, last, anchor, tag.is_some())
            }
            Event::Alias(id) => {
                let Some(anchor) = self.anchors.get_mut(&id) else {
                    let message = "an alias can't be inside the value that it refers to";
                    return Err(Problem::error("alias_loop", spanned(&span), message));
                };
                anchor.used = true;
                self.copied += anchor.node.size;
                if self.copied > COPY_LIMIT {
                    return Err(too_many_copies(spanned(&span)));
                }
                Ok(anchor.node.clone())
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => {
                Err(Problem::error("yaml_syntax", spanned(&span), "a value is missing here"))
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn collection(
        &mut self,
        kind: Kind,
        size: usize,
        start: &saphyr_parser::Span,
        end: &saphyr_parser::Span,
        last: Option<(Position, usize)>,
        anchor: usize,
        tagged: bool,
    ) -> Result<Node, Problem> {
        // A block ends where the next one begins, which may be lines below; report the visible end of its last value.
        let flow = self.offset(&end.start) < self.offset(&end.end);
        let (to, raw_end) = match last {
            Some(last) if !flow => last,
            _ => (position(&end.end), self.offset(&end.end)),
        };
        let span = Span { start: position(&start.start), end: to };
        let node = Node { kind, span, raw: self.offset(&start.start)..raw_end, size };
        if tagged && self.problems.len() < TRAP_LIMIT {
            self.problems.push(traps::tag(self.text, &node));
        }
        self.remember(anchor, &node)?;
        Ok(node)
    }

    fn remember(&mut self, anchor: usize, node: &Node) -> Result<(), Problem> {
        if anchor != 0 {
            self.copied += node.size;
            if self.copied > COPY_LIMIT {
                return Err(too_many_copies(node.span));
            }
            self.anchors.insert(anchor, Anchor { node: node.clone(), used: false });
        }
        Ok(())
    }
}

fn too_many_copies(span: Span) -> Problem {
    let message = format!("the aliases of this file stand for more than {COPY_LIMIT} values");
    Problem::error("alias_bomb", span, message).hint("write the values out")
}

fn short(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn position(marker: &Marker) -> Position {
    Position { line: short(marker.line()), column: short(marker.col() + 1) }
}

fn spanned(span: &saphyr_parser::Span) -> Span {
    Span { start: position(&span.start), end: position(&span.end) }
}
