//! Brings the reports of nodes to watching clients and to the log of the attempt.
//!
//! Nothing here waits for a client, and reports are not trusted: a worker has read foreign bytes.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fanlight_shared::event::{
    LiveEvent, Prediction, Progress, Source, Task, TaskStatus, ToolCall, ToolResult,
};
use fanlight_shared::sanitise;
use fanlight_shared::spent::is_cost;
use fanlight_shared::value::cut;

use super::log::Log;
use super::predictions::{self, Predictions};
use super::report::{Report, Stream, pieces};
use super::{Carrier, MAX_MESSAGE};
use crate::attempt::Attempt;
use crate::secret::MaskStream;
use crate::series::{Measurement, TooMany};
use crate::store::Spending;
use crate::supervisor::log::StreamTag;

/// Takes the reports of the node of an attempt; cheap to clone.
#[derive(Clone)]
pub(crate) struct Reporter {
    attempt: Arc<Attempt>,
    state: Arc<Mutex<State>>,
}

struct State {
    log: Log,
    /// The masks of the streams of the log, if the attempt uses secrets.
    masks: [Option<MaskStream>; 3],
    cost_usd: Option<f64>,
    /// Whether it may have cost more than that.
    unpriced: bool,
    /// Its use of each model.
    predictions: Predictions,
}

/// The end of a log that has grown, and its last line.
type Grown = (u64, Option<String>);

impl State {
    /// Appends to the log what is certain to be masked.
    fn append(&mut self, stream: StreamTag, text: &str) -> Option<Grown> {
        let Some(mask) = &mut self.masks[place(stream)] else { return Some(self.log.append(stream, text)) };
        let mut masked = Vec::with_capacity(text.len());
        mask.push(text.as_bytes(), &mut masked);
        self.write(stream, &masked)
    }

    /// Appends what a mask held back.
    fn finish(&mut self, stream: StreamTag) -> Option<Grown> {
        let mut rest = Vec::new();
        // It stays, for what a part of the node may write later.
        self.masks[place(stream)].as_mut()?.finish(&mut rest);
        self.write(stream, &rest)
    }

    fn write(&mut self, stream: StreamTag, masked: &[u8]) -> Option<Grown> {
        // A mask holds back whole characters, so these bytes are text.
        (!masked.is_empty()).then(|| self.log.append(stream, &String::from_utf8_lossy(masked)))
    }
}

impl Carrier for Reporter {
    fn report(&self, report: Report) {
        self.take(report);
    }
}

impl Reporter {
    /// Creates a reporter for an attempt whose log is in this folder.
    pub(crate) fn new(attempt: Attempt, folder: &Path) -> Self {
        let mask = || attempt.secrets.stream();
        let state = State {
            log: Log::new(folder.to_owned()),
            masks: [mask(), mask(), mask()],
            cost_usd: None,
            unpriced: false,
            predictions: Predictions::default(),
        };
        Self { attempt: Arc::new(attempt), state: Arc::new(Mutex::new(state)) }
    }

    /// Locks it. Each call leaves the state whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the cost so far, if the node reported one.
    pub(crate) fn cost_usd(&self) -> Option<f64> {
        self.state().cost_usd
    }

    /// Records that it has spent something, and nobody knows how much.
    #[cfg(feature = "llm")]
    pub(crate) fn spend_unknown(&self) {
        self.state().unpriced = true;
        self.store_spending();
    }

    /// Returns whether it may have cost more than is known.
    pub(crate) fn is_unpriced(&self) -> bool {
        self.state().unpriced
    }

    /// Takes a report. Secrets in it are masked.
    pub(crate) fn take(&self, report: Report) {
        // The text of a stream may contain a part of a secret only. Other texts are masked before they are cut.
        let report = match report {
            Report::Text { .. } => report,
            report => match self.attempt.secrets.mask_all(report) {
                Some(report) => report,
                None => return,
            },
        };
        let (node, item) = (self.attempt.node.clone(), self.attempt.item);
        match report {
            Report::Progress { fraction, message } => {
                let fraction = fraction.filter(|it| !it.is_nan()).map(|it| it.clamp(0.0, 1.0));
                let message = message.map(|it| shown(&it));
                let progress = Progress { fraction, message };
                self.attempt.live(LiveEvent::NodeProgress { node, item, progress });
            }
            Report::Metric(measured) => {
                let measured = measured.clean();
                let Measurement { name, value, unit, .. } = measured.clone();
                if let Err(TooMany { first }) = self.attempt.recorder.add(measured) {
                    if first {
                        self.append(StreamTag::Stderr, &format!("warn: {}\n", TooMany::line(&name)));
                    }
                    return;
                }
                self.attempt.live(LiveEvent::MetricUpdate { node, item, name, value, unit });
            }
            Report::Partial { port, value } => {
                self.attempt.live(LiveEvent::PreviewUpdate { node, item, port, value });
            }
            Report::Text { stream, text } => {
                let stream = match stream {
                    Stream::Output => StreamTag::Stdout,
                    Stream::Reasoning => StreamTag::Reasoning,
                    Stream::Log => StreamTag::Stderr,
                };
                self.append(stream, &text);
            }
            Report::Cost(usd) => {
                self.spend(usd);
                self.store_spending();
            }
            Report::Plan(plan) => {
                self.append(StreamTag::Stderr, &format!("plan: {plan}\n"));
                let (source, plan) = (self.source(), sanitise::plain(&plan));
                self.attempt.live(LiveEvent::PlanningUpdate { source, plan });
            }
            Report::Task { number, title, status } => self.task(number, &title, status),
            Report::ToolCall { number, tool, arguments } => {
                self.append(StreamTag::Stderr, &format!("call {number} of {tool}: {arguments}\n"));
                let (tool, arguments) = (shown(&tool), shown(&arguments));
                let call = ToolCall { number, tool, arguments, result: None };
                self.attempt.live(LiveEvent::ToolCallUpdate { source: self.source(), call });
            }
            Report::ToolResult { number, result } => self.tool_result(number, &result),
            Report::Prediction(one) => self.prediction(&one),
        }
    }

    fn append(&self, stream: StreamTag, text: &str) {
        for text in pieces(text) {
            let grown = self.state().append(stream, text);
            self.grew(grown);
        }
    }

    /// Ends the streams of the log: what their masks held back is written.
    pub(crate) fn finish(&self) {
        for stream in [StreamTag::Stdout, StreamTag::Stderr, StreamTag::Reasoning] {
            let grown = self.state().finish(stream);
            self.grew(grown);
        }
    }

    fn grew(&self, grown: Option<Grown>) {
        let Some((end, last_line)) = grown else { return };
        let Attempt { node, item, number, .. } = &*self.attempt;
        let (node, item, attempt) = (node.clone(), *item, *number);
        self.attempt.live(LiveEvent::LogUpdate { node, item, attempt, end, last_line });
    }

    /// Adds a cost; ignores a number that can't be one.
    fn spend(&self, usd: f64) {
        if is_cost(usd) {
            *self.state().cost_usd.get_or_insert(0.0) += usd;
        }
    }

    /// Stores what was spent: if the daemon is killed, no event of an end has it.
    fn store_spending(&self) {
        let state = self.state();
        let (cost_usd, unpriced) = (state.cost_usd, state.unpriced);
        let predictions = state.predictions.totals().to_vec();
        drop(state);
        self.attempt.recorder.spend(self.attempt.id, Spending { cost_usd, predictions, unpriced });
    }

    fn task(&self, number: u32, title: &str, status: TaskStatus) {
        let word = match status {
            TaskStatus::Waiting => "waiting",
            TaskStatus::Running => "running",
            TaskStatus::Completed => "completed",
            TaskStatus::Failed => "failed",
        };
        self.append(StreamTag::Stderr, &format!("task {number} {word}: {title}\n"));
        let task = Task { number, title: shown(title), status };
        self.attempt.live(LiveEvent::TaskUpdate { source: self.source(), task });
    }

    fn tool_result(&self, number: u32, result: &Result<String, String>) {
        let (word, text) = match result {
            Ok(text) => ("returned", text),
            Err(text) => ("failed", text),
        };
        self.append(StreamTag::Stderr, &format!("call {number} {word}: {text}\n"));
        let result = ToolResult { text: shown(text), failed: result.is_err() };
        self.attempt.live(LiveEvent::ToolResultUpdate { source: self.source(), number, result });
    }

    /// Adds a prediction to those of its model, and its cost to that of the attempt.
    fn prediction(&self, one: &Prediction) {
        if let Some(cost) = predictions::cost(one) {
            self.spend(cost);
        }
        let prediction = self.state().predictions.add(one);
        self.store_spending();
        self.attempt.live(LiveEvent::Prediction { source: self.source(), prediction });
    }

    fn source(&self) -> Source {
        let Attempt { node, item, number, .. } = &*self.attempt;
        Source { node: node.clone(), item: *item, attempt: *number }
    }
}

/// Returns the place of a stream among the masks.
fn place(stream: StreamTag) -> usize {
    match stream {
        StreamTag::Stdout => 0,
        StreamTag::Stderr => 1,
        StreamTag::Reasoning => 2,
    }
}

fn shown(text: &str) -> String {
    cut(&sanitise::line(text), MAX_MESSAGE)
}
