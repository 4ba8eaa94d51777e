//! What a coding agent writes to its standard output, line by line: its plan, its calls of tools, its text, and how it
//! ended. Each agent has its own dialect of JSON lines.

mod claude;
mod codex;
mod gemini;
mod plain;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use fanlight_shared::event::{Prediction, TaskStatus};
use fanlight_shared::spent::is_cost;
use fanlight_shared::value::cut;
use serde_json::Value as Json;

use super::super::event::{arguments_text, json_of};
use super::super::tail::Line;
use super::super::text;
use crate::services::{Predictions, Report, Stream as LogStream};

/// The longest line, in bytes: agents put the whole files that they read into one.
pub(in super::super) const MAX_LINE: usize = 16 << 20;
/// The most tasks of a list.
const MAX_TASKS: usize = 1_000;

/// The dialects, by the word that a workflow file has for them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Dialect {
    Claude,
    Codex,
    Gemini,
    Plain,
}

/// How an agent says that it ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in super::super) enum End {
    /// It did what it was asked.
    Completed,
    /// It did not, for this reason.
    Failed(String),
}

/// An agent's stream so far.
#[derive(Debug)]
pub(in super::super) struct Stream {
    dialect: Dialect,
    said: Said,
    /// The first line that is not of the dialect, and why.
    broken: Option<String>,
    lines: u64,
}

/// What the lines say.
#[derive(Debug, Default)]
struct Said {
    reports: Vec<Report>,
    /// The answer so far.
    text: String,
    end: Option<End>,
    /// Whether the agent has said or done something since it said how it ended.
    went_on: bool,
    /// The model, as the node or the agent names it.
    model: Option<String>,
    /// The numbers of calls, by the agent's own ids.
    calls: HashMap<String, u32>,
    tasks: Vec<(String, TaskStatus)>,
    /// The use of each model so far.
    spent: Predictions,
    /// The use by each message of the model, where an agent repeats it.
    messages: HashMap<String, (u64, u64)>,
    /// Whether the text that follows begins a new answer.
    answered: bool,
    /// Whether the last line of the text in the log has no end yet.
    open: bool,
}

impl Dialect {
    /// Returns the dialect of this name.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "claude" => Self::Claude,
            "codex" => Self::Codex,
            "gemini" => Self::Gemini,
            "plain" => Self::Plain,
            _ => return None,
        })
    }

    /// Returns its name, which is that of the program too.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
            Self::Gemini => "gemini",
            Self::Plain => "plain",
        }
    }

    /// Returns the maker of its models, as predictions name it.
    fn provider(self) -> &'static str {
        match self {
            Self::Claude => "anthropic",
            Self::Codex => "openai",
            Self::Gemini => "google",
            Self::Plain => "agent",
        }
    }

    /// Returns the arguments before and after those of the workflow file. No text of a prompt becomes an option.
    pub(crate) fn arguments(self, model: Option<&str>, prompt: &str) -> (Vec<String>, Vec<String>) {
        let mut before: Vec<&str> = match self {
            Self::Claude => vec!["-p", "--output-format", "stream-json", "--verbose"],
            Self::Codex => vec!["exec", "--json"],
            Self::Gemini => vec!["--output-format", "stream-json"],
            // The prompt is in its environment.
            Self::Plain => return (Vec::new(), Vec::new()),
        };
        if let Some(model) = model {
            before.extend(["--model", model]);
        }
        let after = match self {
            Self::Gemini => vec![format!("--prompt={prompt}")],
            _ => vec!["--".to_owned(), prompt.to_owned()],
        };
        (before.into_iter().map(str::to_owned).collect(), after)
    }
}

impl Stream {
    pub(in super::super) fn new(dialect: Dialect, model: Option<String>) -> Self {
        let said = Said { model, ..Said::default() };
        Self { dialect, said, broken: None, lines: 0 }
    }

    /// Takes a line of the output.
    pub(in super::super) fn take(&mut self, line: &Line<'_>) {
        self.lines += 1;
        let taken = match line {
            Line::Whole(line) if line.trim_ascii().is_empty() => return,
            Line::Whole(line) => self.read(line),
            Line::Again => Err("what was written before it was overwritten".to_owned()),
            Line::TooLong => Err(format!("it is longer than {} MiB", MAX_LINE >> 20)),
            Line::TooMuch => Err("more follows than is read".to_owned()),
        };
        if let Err(why) = taken {
            let number = self.lines;
            self.broken.get_or_insert_with(|| format!("line {number} of its output can't be read: {why}"));
        }
    }

    fn read(&mut self, line: &[u8]) -> Result<(), String> {
        let shown = || cut(&text::line(&String::from_utf8_lossy(line)), 80);
        let json = json_of(line).map_err(|why| format!("{why}: `{}`", shown()))?;
        if !json.is_object() {
            return Err(format!("it is not a JSON object: `{}`", shown()));
        }
        match self.dialect {
            Dialect::Claude => claude::take(&json, &mut self.said),
            Dialect::Codex => codex::take(&json, &mut self.said),
            Dialect::Gemini => gemini::take(&json, &mut self.said),
            Dialect::Plain => plain::take(json, &mut self.said),
        }?;
        if self.said.end.is_some() {
            self.said.close();
        }
        Ok(())
    }

    /// Returns what is to be reported since the last call.
    pub(in super::super) fn reports(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.said.reports)
    }

    /// Returns the answer so far.
    pub(in super::super) fn text(&self) -> &str {
        &self.said.text
    }

    /// Returns the use of each model.
    pub(in super::super) fn spent(&self) -> &[Prediction] {
        self.said.spent.totals()
    }

    /// Returns the reason that the agent itself gave for its failure.
    pub(in super::super) fn failure(&self) -> Option<&str> {
        match &self.said.end {
            Some(End::Failed(why)) => Some(why),
            _ => None,
        }
    }

    /// Checks that the agent said to its end what it did.
    ///
    /// # Errors
    /// A sentence: it says that it failed, wrote something else than its dialect, or ended without its last record.
    pub(in super::super) fn check(&self) -> Result<(), String> {
        let agent = match self.dialect {
            Dialect::Plain => "the agent",
            dialect => dialect.word(),
        };
        match (&self.said.end, &self.broken) {
            (Some(End::Completed), None) if self.said.went_on => {
                Err(format!("{agent} went on after its last record, so it is unknown whether it finished"))
            }
            (Some(End::Failed(why)), _) => Err(format!("{agent} failed: {why}")),
            (_, Some(why)) => Err(format!("{agent}: {why}")),
            (Some(End::Completed), None) => Ok(()),
            (None, None) if self.lines == 0 => {
                Err(format!("{agent} wrote nothing, so it is unknown what it did"))
            }
            (None, None) => Err(format!(
                "the output of {agent} ends without its last record ({}), so it is unknown whether it finished",
                match self.dialect {
                    Dialect::Codex => "`turn.completed`",
                    _ => "`result`",
                }
            )),
        }
    }
}

impl Said {
    /// Takes how the agent ended. It may say so again only after another turn, and a failure stays one.
    ///
    /// # Errors
    /// It said before that it ended otherwise, so that nobody knows which answer is right.
    fn ended(&mut self, end: End, answer: Option<&str>) -> Result<(), String> {
        let went_on = std::mem::take(&mut self.went_on);
        match (&self.end, &end) {
            (Some(End::Failed(_)), _) => return Ok(()),
            (Some(End::Completed), End::Completed) if !went_on => {
                return match answer {
                    Some(answer) if answer.trim_end() != self.text.trim_end() => {
                        Err("it says for a second time how it ended, with another answer".to_owned())
                    }
                    _ => Ok(()),
                };
            }
            _ => {}
        }
        if let Some(answer) = answer {
            self.answer(answer);
        }
        self.end = Some(end);
        Ok(())
    }

    /// Adds a part of the answer.
    fn text(&mut self, text: &str) {
        self.went_on = true;
        if std::mem::take(&mut self.answered) {
            self.text.clear();
        }
        self.text.push_str(text);
        self.log(LogStream::Output, text);
        self.open = !text.is_empty() && !text.ends_with('\n');
    }

    /// Ends the line of the text in the log.
    fn close(&mut self) {
        if std::mem::take(&mut self.open) {
            self.log(LogStream::Output, "\n");
        }
    }

    /// Adds a whole message, which replaces the one before as the answer.
    fn message(&mut self, text: &str) {
        self.answered = true;
        self.text(text);
        self.close();
    }

    /// Sets the answer that the last record gives.
    fn answer(&mut self, text: &str) {
        self.close();
        if self.text.trim_end() != text.trim_end() {
            self.log(LogStream::Output, &format!("{text}\n"));
        }
        text.clone_into(&mut self.text);
    }

    fn reasoning(&mut self, text: &str) {
        self.log(LogStream::Reasoning, &format!("{text}\n"));
    }

    fn note(&mut self, text: &str) {
        self.log(LogStream::Log, &format!("{}\n", text::line(text)));
    }

    fn log(&mut self, stream: LogStream, text: &str) {
        if !text.is_empty() {
            self.reports.push(Report::Text { stream, text: text.to_owned() });
        }
    }

    fn call(&mut self, id: &str, tool: &str, arguments: &Json) {
        self.went_on = true;
        let next = u32::try_from(self.calls.len() + 1).unwrap_or(u32::MAX);
        let number = *self.calls.entry(id.to_owned()).or_insert(next);
        if number < next {
            // It is reported again with more of its result.
            return;
        }
        self.answered = true;
        self.close();
        let arguments = arguments_text(arguments);
        self.reports.push(Report::ToolCall { number, tool: tool.to_owned(), arguments });
    }

    fn result(&mut self, id: &str, text: &str, failed: bool) {
        // A result without a call shows nothing.
        let Some(number) = self.calls.get(id) else { return };
        let result = if failed { Err(text.to_owned()) } else { Ok(text.to_owned()) };
        self.reports.push(Report::ToolResult { number: *number, result });
    }

    /// Takes the whole list of tasks as it is now, and reports those that changed.
    fn tasks(&mut self, now: Vec<(String, TaskStatus)>) {
        for (at, (title, status)) in now.into_iter().take(MAX_TASKS).enumerate() {
            self.task(at, title, status);
        }
    }

    fn task(&mut self, at: usize, title: String, status: TaskStatus) {
        if at > self.tasks.len() || at >= MAX_TASKS {
            return;
        }
        let task = (title, status);
        if self.tasks.get(at) == Some(&task) {
            return;
        }
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        self.reports.push(Report::Task { number, title: task.0.clone(), status });
        match self.tasks.get_mut(at) {
            Some(known) => *known = task,
            None => self.tasks.push(task),
        }
    }

    /// Adds the use of a model.
    fn spend(&mut self, dialect: Dialect, model: &str, input: u64, output: u64, cost_usd: Option<f64>) {
        if input == 0 && output == 0 && cost_usd.is_none() {
            return;
        }
        let one = Prediction {
            provider: dialect.provider().to_owned(),
            model: model.to_owned(),
            input_tokens: input,
            output_tokens: output,
            cost_usd,
        };
        self.predict(one);
    }

    fn predict(&mut self, one: Prediction) {
        let cost_usd = one.cost_usd.filter(|usd| is_cost(*usd));
        let one = Prediction { cost_usd, ..one };
        self.spent.add(&one);
        self.reports.push(Report::Prediction(one));
    }

    /// Takes the whole use of a model, of which a part may be known.
    fn spent_in_all(&mut self, dialect: Dialect, model: &str, input: u64, output: u64, cost: Option<f64>) {
        let provider = dialect.provider();
        let known = self.spent.totals().iter().find(|it| it.provider == provider && it.model == model);
        let (known_input, known_output) = known.map_or((0, 0), |it| (it.input_tokens, it.output_tokens));
        let known_cost = known.and_then(|it| it.cost_usd).unwrap_or(0.0);
        let (input, output) = (input.saturating_sub(known_input), output.saturating_sub(known_output));
        self.spend(dialect, model, input, output, cost.map(|usd| (usd - known_cost).max(0.0)));
    }

    fn model(&self) -> String {
        self.model.clone().unwrap_or_else(|| "default".to_owned())
    }
}

/// Returns a field that is text, or nothing.
fn text_of<'a>(json: &'a Json, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_default()
}

/// Returns a field that is a number of tokens.
fn count(json: &Json, name: &str) -> u64 {
    json[name].as_u64().unwrap_or_default()
}

/// Returns the sentence of an error, in the forms that agents have for it.
fn reason(json: &Json) -> String {
    let said = json["message"].as_str().or(json.as_str()).filter(|text| !text.trim().is_empty());
    cut(&text::line(said.unwrap_or("it gave no reason")), 500)
}
