//! A row of the table `event`: consecutive events of a run. Its `seq` is the number of the first one. `body` is the JSON of one
//! event, or a list of several.

use std::fmt;

use fanlight_shared::event::{Numbered, StateEvent};
use fanlight_shared::id::AttemptId;
use rusqlite::Row;
use serde::de::{Deserializer as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;

use super::{StoreError, code};

/// The longest body with several events. SQLite keeps up to about 1000 bytes of a row in the page of its neighbours; the rest
/// takes a page of its own.
const MAX_BYTES: usize = 960;

/// A row that events are added to.
pub(super) struct EventRow {
    first: u64,
    count: u64,
    /// The list without its end.
    list: String,
}

impl EventRow {
    /// Begins a row with the event of this number, as JSON.
    pub(super) fn new(seq: u64, event: &str) -> Self {
        let mut list = String::with_capacity(event.len() + 2);
        list.push('[');
        list.push_str(event);
        Self { first: seq, count: 1, list }
    }

    /// Adds the event of this number. Returns `false` if it does not follow the others, or there is no room.
    pub(super) fn add(&mut self, seq: u64, event: &str) -> bool {
        let fits = self.list.len() + event.len() + 2 <= MAX_BYTES;
        if !fits || seq != self.first + self.count {
            return false;
        }
        self.count += 1;
        self.list.push(',');
        self.list.push_str(event);
        true
    }

    /// Returns `seq` and `body`.
    pub(super) fn columns(&mut self) -> (i64, &str) {
        let seq = code::signed(self.first);
        if self.count == 1 {
            return (seq, &self.list[1..]);
        }
        self.list.push(']');
        (seq, &self.list)
    }
}

/// Returns how many events a body has; 1 for one that is damaged.
pub(super) fn count(body: &str) -> u64 {
    if !body.starts_with('[') {
        return 1;
    }
    serde_json::from_str::<Vec<IgnoredAny>>(body).map_or(1, |events| (events.len() as u64).max(1))
}

/// Returns the last event of a body, whatever those before it are.
pub(super) fn last(body: &str) -> serde_json::Result<Option<StateEvent>> {
    if !body.starts_with('[') {
        return serde_json::from_str(body).map(Some);
    }
    serde_json::from_str::<Vec<Value>>(body)?.pop().map(serde_json::from_value).transpose()
}

/// Adds the events of a row, of which `seq` and `body` are selected, to `events`; `name` is that of its run.
///
/// # Errors
/// One of them can't be read; those before it are added.
pub(super) fn read(row: &Row<'_>, name: &str, events: &mut Vec<Numbered>) -> Result<(), StoreError> {
    let first = code::unsigned(row.get(0)?);
    match row.get_ref(1)?.as_str() {
        Ok(body) => read_body(first, body, name, events),
        Err(_) => {
            Err(StoreError::Unreadable(format!("event {first} of {name} can't be read: it is no text")))
        }
    }
}

fn read_body(first: u64, body: &str, name: &str, events: &mut Vec<Numbered>) -> Result<(), StoreError> {
    let mut next = first;
    let mut add = |mut event: StateEvent| {
        // Events of earlier versions may be longer than events may be now.
        event.shorten();
        events.push(Numbered { seq: next, event });
        next += 1;
    };
    let outcome = if body.starts_with('[') {
        match serde_json::from_str::<Vec<StateEvent>>(body) {
            Ok(list) => {
                list.into_iter().for_each(add);
                return Ok(());
            }
            Err(_) => elements(body, |element| serde_json::from_value(element).map(&mut add)),
        }
    } else {
        serde_json::from_str(body).map(add)
    };
    outcome.map_err(|error| StoreError::Unreadable(format!("event {next} of {name} can't be read: {error}")))
}

/// Returns the attempts that the events of a body name. Where it is damaged, they are found as they are written.
pub(super) fn attempts(body: &[u8]) -> Vec<AttemptId> {
    const NAME: &str = ",\"attempt_id\":\"";
    let body = String::from_utf8_lossy(body);
    let list = if body.starts_with('[') { body } else { format!("[{body}]").into() };
    let mut ids = Vec::new();
    let whole = elements(&list, |element| {
        ids.extend(element.get("attempt_id").and_then(|id| id.as_str()?.parse::<AttemptId>().ok()));
        Ok(())
    });
    if whole.is_err() {
        // A value may have a key of this name, but not behind the number of an attempt.
        let number = |before: &str| {
            before.trim_end_matches(|digit: char| digit.is_ascii_digit()).ends_with("\"attempt\":")
        };
        let found = list.match_indices(NAME).filter(|(at, _)| number(&list[..*at]));
        let id = |at: usize| list[at + NAME.len()..].split('"').next()?.parse::<AttemptId>().ok();
        ids.extend(found.filter_map(|(at, _)| id(at)));
    }
    ids
}

/// Passes on the elements of a list, up to the first one that is damaged.
fn elements(list: &str, mut each: impl FnMut(Value) -> serde_json::Result<()>) -> serde_json::Result<()> {
    struct Elements<'a, F>(&'a mut F, &'a mut serde_json::Result<()>);

    impl<'de, F: FnMut(Value) -> serde_json::Result<()>> Visitor<'de> for Elements<'_, F> {
        type Value = ();

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a list of events")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
            while let Some(element) = list.next_element()? {
                if self.1.is_ok() {
                    *self.1 = (self.0)(element);
                }
            }
            Ok(())
        }
    }

    let mut refused = Ok(());
    let mut json = serde_json::Deserializer::from_str(list);
    let outcome = json.deserialize_seq(Elements(&mut each, &mut refused)).and_then(|()| json.end());
    refused.and(outcome)
}

#[cfg(test)]
mod tests {
    use fanlight_shared::event::NodeUpdate;
    use fanlight_shared::item::ItemPath;
    use fanlight_shared::run::NodeStatus;
    use fanlight_shared::time::Time;

    use super::*;

    fn event(at: i64) -> StateEvent {
        StateEvent::NodeUpdate(NodeUpdate::new("sky", ItemPath::WHOLE, NodeStatus::Running, Time(at)))
    }

    fn json(at: i64) -> String {
        serde_json::to_string(&event(at)).unwrap()
    }

    #[test]
    fn events_of_a_row_keep_their_numbers() {
        let mut row = EventRow::new(7, &json(7));
        assert!(row.add(8, &json(8)));
        assert!(!row.add(8, &json(8)), "it has this one");
        assert!(!row.add(10, &json(10)), "one is missing");
        let (seq, body) = row.columns();
        assert_eq!((seq, count(body), last(body).unwrap()), (7, 2, Some(event(8))));
        let mut events = Vec::new();
        read_body(seq as u64, body, "a#1", &mut events).unwrap();
        assert_eq!(events, [Numbered { seq: 7, event: event(7) }, Numbered { seq: 8, event: event(8) }]);
    }

    #[test]
    fn one_event_is_stored_as_earlier_versions_did() {
        let one = json(1);
        let mut row = EventRow::new(1, &one);
        let (_, body) = row.columns();
        assert_eq!((body, count(body), last(body).unwrap()), (one.as_str(), 1, Some(event(1))));
    }

    #[test]
    fn a_row_stays_short() {
        let mut row = EventRow::new(1, &json(1));
        let added = (2..100).take_while(|seq| row.add(*seq, &json(1))).count();
        assert!((2..98).contains(&added), "{added}");
        assert!(row.columns().1.len() <= MAX_BYTES);
    }

    #[test]
    fn events_before_a_damaged_one_can_be_read() {
        let unknown = format!("[{},{{\"type\":\"unknown\"}},{}]", json(1), json(3));
        let cut = format!("[{},{}", json(1), &json(2)[..20]);
        let deep = format!("[{},{}1{}]", json(1), "[".repeat(200), "]".repeat(200));
        for body in [&unknown, &cut, &deep] {
            let mut events = Vec::new();
            let error = read_body(1, body, "a#1", &mut events).unwrap_err().to_string();
            assert!(error.contains("event 2 of a#1 can't be read"), "{body}: {error}");
            assert_eq!(events, [Numbered { seq: 1, event: event(1) }], "{body}");
        }
        assert_eq!(last(&unknown).unwrap(), Some(event(3)), "the others don't matter");
        assert_eq!((count("[{"), last("[]").unwrap()), (1, None));
    }

    #[test]
    fn attempts_are_found_beside_damaged_events() {
        let ids = [AttemptId::new(), AttemptId::new(), AttemptId::new()];
        let of = |id: AttemptId| {
            let update = NodeUpdate {
                attempt: Some(1),
                attempt_id: Some(id),
                ..NodeUpdate::new("sky", ItemPath::WHOLE, NodeStatus::Running, Time(1))
            };
            serde_json::to_string(&StateEvent::NodeUpdate(update)).unwrap()
        };
        assert_eq!(attempts(of(ids[0]).as_bytes()), [ids[0]]);
        let list = format!("[{},{},{}]", of(ids[0]), json(2), of(ids[1]));
        assert_eq!(attempts(list.as_bytes()), ids[..2]);
        let named = format!("{{\"outputs\":{{\"x\":{{\"attempt_id\":\"{}\"}}}}}}", ids[2]);
        assert_eq!(
            attempts(format!("[{named},{}]", of(ids[0])).as_bytes()),
            [ids[0]],
            "a value names no attempt"
        );
        let damaged = format!("[{},{{{named},{}]", of(ids[0]), of(ids[1]));
        let mut found = attempts(damaged.as_bytes());
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, ids[..2]);
        let mut bytes = list.into_bytes();
        bytes[3] = 0xff;
        assert_eq!(attempts(&bytes).len(), 2);
    }
}
