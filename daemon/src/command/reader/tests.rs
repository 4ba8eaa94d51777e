use std::fs;
use std::io::Write as _;

use fanlight_shared::event::{LiveEvent, TaskStatus};
use fanlight_shared::home::Home;

use super::*;
use crate::command::fixture;
use crate::store::Store;
use crate::supervisor::log::LogWriter;

struct Fixture {
    _temp: tempfile::TempDir,
    _store: Store,
    reader: Reader,
    log: LogWriter,
}

fn fixture() -> Fixture {
    let temp = tempfile::tempdir().unwrap();
    let store = Store::open(&Home::below(&temp.path().join("home")).unwrap()).unwrap();
    let attempt = fixture::attempt();
    let folder = Folder::of(&temp.path().join("attempts"), attempt.id);
    folder.make().unwrap();
    let log = LogWriter::new(folder.path().to_owned());
    let reader = Reader::new(attempt, folder, None, store.blobs().clone());
    Fixture { _temp: temp, _store: store, reader, log }
}

impl Fixture {
    fn report(&self, line: &str) {
        let mut file =
            fs::File::options().append(true).create(true).open(self.reader.folder.events()).unwrap();
        writeln!(file, "{line}").unwrap();
    }
    /// Returns the events that watching clients would get now.
    fn events(&mut self) -> Vec<LiveEvent> {
        self.reader.read(self.log.end());
        self.reader.pace.drain().collect()
    }
}

fn fraction(event: &LiveEvent) -> Option<f64> {
    match event {
        LiveEvent::NodeProgress { progress, .. } => progress.fraction,
        other => panic!("no progress: {other:?}"),
    }
}

#[test]
fn progress_in_the_output_is_shown_with_its_last_line() {
    let mut fixture = fixture();
    fixture.log.write(StreamTag::Stdout, b"begin\n\x1b]9;4;1;2");
    let events = fixture.events();
    assert_eq!(events.len(), 1, "{events:?}");
    fixture.log.write(StreamTag::Stderr, b"warning: \x1b[31mhot\x1b[0m\n");
    fixture.log.write(StreamTag::Stdout, b"5\x07");
    fixture.log.write(StreamTag::Stderr, b"");
    let events = fixture.events();
    assert_eq!(fraction(&events[0]), Some(0.25));
    let end = fixture.log.end();
    fixture.log.write(StreamTag::Stderr, b"warning: \x1b[31mhotter\x1b[0m\n");
    let events = fixture.events();
    let LiveEvent::LogUpdate { end: now, last_line, attempt: 1, .. } = &events[0] else {
        panic!("{events:?}")
    };
    assert!(*now > end);
    assert_eq!(last_line.as_deref(), Some("warning: hotter"));
    assert!(fixture.events().is_empty());
}

#[test]
fn only_the_end_of_a_flood_is_read() {
    let mut fixture = fixture();
    fixture.log.write(StreamTag::Stdout, &vec![b'x'; 3_000_000]);
    fixture.log.write(StreamTag::Stdout, b"\n\x1b]9;4;1;75\x07the end\n");
    let events = fixture.events();
    assert_eq!(fraction(&events[0]), Some(0.75));
    let LiveEvent::LogUpdate { last_line, .. } = &events[1] else { panic!("{events:?}") };
    assert_eq!(last_line.as_deref(), Some("the end"));
}

#[test]
fn reports_are_shown_and_sanitised() {
    let mut fixture = fixture();
    fixture.report(r#"{"type":"progress","value":0.5,"message":"half\u001b[2J"}"#);
    fixture.report(r#"{"type":"metric","name":"loss","value":2}"#);
    fixture.report(r#"{"type":"metric","name":"loss","value":1,"unit":"nats"}"#);
    fixture.report(r#"{"type":"output","name":"best","value":[1]}"#);
    let events = fixture.events();
    let LiveEvent::NodeProgress { progress, .. } = &events[0] else { panic!("{events:?}") };
    assert_eq!((progress.fraction, progress.message.as_deref()), (Some(0.5), Some("half")));
    assert!(matches!(&events[1], LiveEvent::MetricUpdate { value: 1.0, .. }), "{events:?}");
    assert!(matches!(&events[2], LiveEvent::PreviewUpdate { port, .. } if port == "best"), "{events:?}");
    assert_eq!(events.len(), 3);
}

#[test]
fn the_activity_of_an_agent_is_shown_and_its_predictions_are_added_up() {
    let mut fixture = fixture();
    fixture.report(r#"{"type":"plan","text":"1. look\n2. draw\u001b[2J"}"#);
    fixture.report(r#"{"type":"task","number":1,"title":"look"}"#);
    fixture.report(r#"{"type":"task","number":1,"title":"look","status":"completed"}"#);
    fixture.report(r#"{"type":"tool_result","number":1,"text":"3 hits"}"#);
    fixture.report(r#"{"type":"tool_call","number":1,"tool":"search","arguments":{"q":"fan"}}"#);
    let one = r#"{"type":"prediction","provider":"local","model":"small","input_tokens":10,"output_tokens":2,"cost_usd":0.25}"#;
    fixture.report(one);
    fixture.report(one);
    let events = fixture.events();
    let [plan, prediction, task, call, result] = events.as_slice() else { panic!("{events:?}") };
    let LiveEvent::PlanningUpdate { plan, source } = plan else { panic!("{plan:?}") };
    assert_eq!((plan.as_str(), source.attempt), ("1. look\n2. draw", 1));
    let LiveEvent::Prediction { prediction, .. } = prediction else { panic!("{prediction:?}") };
    assert_eq!((prediction.input_tokens, prediction.output_tokens, prediction.cost_usd), (20, 4, Some(0.5)));
    let LiveEvent::TaskUpdate { task, .. } = task else { panic!("{task:?}") };
    assert_eq!((task.number, task.status), (1, TaskStatus::Completed));
    let LiveEvent::ToolCallUpdate { call, .. } = call else { panic!("{call:?}") };
    assert_eq!((call.tool.as_str(), call.arguments.as_str()), ("search", r#"{"q":"fan"}"#));
    assert!(matches!(result, LiveEvent::ToolResultUpdate { number: 1, .. }), "{result:?}");
    assert_eq!(fixture.reader.report.cost_usd, Some(0.5));
}

#[test]
fn a_preview_is_published_and_its_bytes_stay() {
    let mut fixture = fixture();
    fs::write(fixture.reader.folder.work().join("p.txt"), vec![b'x'; 100_000]).unwrap();
    fixture.report(r#"{"type":"preview","name":"image","path":"p.txt"}"#);
    fixture.report(r#"{"type":"preview","name":"other","path":"/etc/passwd"}"#);
    let events = fixture.events();
    let LiveEvent::PreviewUpdate { port, value, .. } = &events[0] else { panic!("{events:?}") };
    assert_eq!((port.as_str(), events.len()), ("image", 1));
    let hash = value.as_media().unwrap().hash;
    assert_eq!(fixture.reader.blobs.read(hash).unwrap().len(), 100_000);
    assert!(fixture.reader.report.notes()[0].contains("climbs out"));
}
