use super::*;
use crate::series::Measurement;
use crate::services::Stream;

fn text(text: &str) -> Report {
    Report::Text { stream: Stream::Output, text: text.to_owned() }
}

fn metric(name: &str, value: f64) -> Report {
    Report::Metric(Measurement { name: name.into(), value, unit: None, step: None, at: None, goal: None })
}

fn progress(fraction: f64) -> Report {
    Report::Progress { fraction: Some(fraction), message: None }
}

/// Returns the reports that a daemon reads.
fn read(bytes: &[u8]) -> Vec<Report> {
    let mut bytes = bytes;
    let frames = std::iter::from_fn(|| frame::read::<Response>(&mut bytes).unwrap());
    let reports = frames.flat_map(|frame| match frame {
        Response::Said { reports, .. } => reports,
        other => panic!("{other:?}"),
    });
    reports.collect()
}

#[test]
fn replaced_reports_are_sent_once_and_appended_ones_together() {
    let reports = Reports::default();
    let carrier = reports.begin(MadeFiles::default());
    for step in 0..1000 {
        carrier.report(progress(f64::from(step)));
        carrier.report(metric(&format!("m{}", step % 2), f64::from(step)));
        carrier.report(text("a"));
    }
    carrier.report(Report::Text { stream: Stream::Reasoning, text: "why".into() });
    carrier.report(text("b"));
    let mut sent = Vec::new();
    reports.flush(&mut sent).unwrap();
    let got = read(&sent);
    assert_eq!(got[0], progress(999.0));
    let metrics = got.iter().filter(|it| matches!(it, Report::Metric(_)));
    let all = (0..1000).map(|step| metric(&format!("m{}", step % 2), f64::from(step)));
    assert_eq!(
        metrics.cloned().collect::<Vec<_>>(),
        all.collect::<Vec<_>>(),
        "each point of a series counts"
    );
    let texts = got.iter().filter_map(|it| match it {
        Report::Text { stream: Stream::Output, text } => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(texts.collect::<String>(), "a".repeat(1000) + "b");
    assert!(got.len() <= 1004, "{got:?}");
    let length = sent.len();
    reports.flush(&mut sent).unwrap();
    assert_eq!(sent.len(), length, "nothing is said twice");
}

#[test]
fn a_call_of_a_tool_stays_between_the_texts_around_it() {
    let reports = Reports::default();
    let carrier = reports.begin(MadeFiles::default());
    let call = || Report::ToolCall { number: 1, tool: "search".into(), arguments: "whales".into() };
    for report in [text("Let me "), metric("m", 1.0), text("look."), call(), text("Found.")] {
        carrier.report(report);
    }
    let mut sent = Vec::new();
    reports.flush(&mut sent).unwrap();
    assert_eq!(read(&sent), [text("Let me look."), metric("m", 1.0), call(), text("Found.")]);
}

#[test]
fn a_node_that_reports_too_much_waits_for_space() {
    let reports = Reports::default();
    let carrier = reports.begin(MadeFiles::default());
    carrier.report(text(&"x".repeat(MAX_WAITING_BYTES + 1)));
    let (said, heard) = std::sync::mpsc::channel();
    let saying = std::thread::spawn(move || {
        carrier.report(text("y"));
        said.send(()).unwrap();
    });
    assert!(heard.try_recv().is_err(), "there is no room yet");
    let mut sent = Vec::new();
    reports.flush(&mut sent).unwrap();
    heard.recv().unwrap();
    saying.join().unwrap();
    reports.flush(&mut sent).unwrap();
    assert_eq!(read(&sent), [text(&"x".repeat(MAX_WAITING_BYTES + 1)), text("y")]);
}

#[test]
fn a_thread_that_outlives_its_request_reports_nothing_to_the_next_one() {
    let reports = Reports::default();
    let old = reports.begin(MadeFiles::default());
    let new = reports.begin(MadeFiles::default());
    old.report(text("old"));
    new.report(text("new"));
    let mut sent = Vec::new();
    reports.flush(&mut sent).unwrap();
    assert_eq!(read(&sent), [text("new")]);
    reports.close();
    new.report(text("nobody hears this, and nobody waits"));
}
