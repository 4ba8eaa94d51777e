//! The questions and answers of a run.

use fanlight_shared::item::ItemPath;
use fanlight_shared::question::Question;
use fanlight_shared::rpc::runs::Detail;
use fanlight_shared::run_state::Attempt;
use fanlight_shared::sanitise;
use fanlight_shared::value::Value;
use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::output::style::Role;
use crate::output::table::{Cell, Table};
use crate::output::{Out, json};
use crate::text;

/// How many questions are shown.
const MAX_QUESTIONS: usize = 20;

/// What an attempt asked, and how it was answered if it was.
struct Asked<'a> {
    node: &'a str,
    item: ItemPath,
    attempt: &'a Attempt,
    /// The whole question, while it is open.
    open: Option<&'a Question>,
}

/// Returns all questions, in the order of the file.
fn all(detail: &Detail) -> impl Iterator<Item = Asked<'_>> {
    detail.state.nodes.iter().flat_map(|(name, node)| {
        let items = node.items.iter().map(|(index, it)| (ItemPath::item(*index), it));
        std::iter::once((ItemPath::WHOLE, &node.whole)).chain(items).flat_map(move |(item, instance)| {
            let asked = instance.attempts.iter().filter(|attempt| attempt.question.is_some());
            asked.map(move |attempt| Asked {
                node: name,
                item,
                attempt,
                open: instance.question.as_deref().filter(|_| attempt.answer.is_none()),
            })
        })
    })
}

impl Asked<'_> {
    fn name(&self) -> String {
        format!("{}{}", self.node, self.item)
    }

    fn object(&self) -> Json {
        let Attempt { number, question, answer, said, ended_at, answered_at, .. } = self.attempt;
        json!({
            "node": self.node,
            "item": self.item,
            "attempt": number,
            "text": question,
            "asked_at": ended_at,
            "open": self.open.map(json::question),
            "answer": answer.as_ref().and_then(|answer| answer.value.as_ref()).map(Value::to_json),
            "said": said,
            "answered_at": answered_at,
            "by": answer.as_ref().map(|answer| if answer.request.is_some() { "person" } else { "deadline" }),
        })
    }

    /// Returns the answer and its time: `yes, 2026-11-22 21:14:03`.
    fn answer(&self) -> Cell {
        let Some(answer) = &self.attempt.answer else {
            return match self.open {
                Some(question) => Cell::new(format!("waits for {}", question.expects()), Role::Warning),
                None => Cell::new("was not answered", Role::Dim),
            };
        };
        let said = self.attempt.said.as_deref().map_or_else(|| "nobody answered".into(), sanitise::line);
        let by = if answer.request.is_none() && answer.value.is_some() { " (the default)" } else { "" };
        let at = self.attempt.answered_at.map(text::clock).unwrap_or_default();
        format!("{said}{by}, {at}").into()
    }
}

/// Returns the stable JSON of all questions.
pub(super) fn objects(detail: &Detail) -> Vec<Json> {
    all(detail).map(|asked| asked.object()).collect()
}

/// Prints the questions and answers of a run.
pub(super) fn print(out: &mut Out, detail: &Detail) -> Result<(), Failure> {
    let mut table = Table::new(&["NODE", "ASKED", "ANSWER"]);
    let mut count = 0;
    for asked in all(detail) {
        count += 1;
        if count <= MAX_QUESTIONS {
            let text = asked.attempt.question.as_deref().unwrap_or_default();
            table.row(vec![asked.name().into(), sanitise::line(text).into(), asked.answer()]);
        }
    }
    if count == 0 {
        return Ok(());
    }
    out.line("")?;
    table.print(out)?;
    if count > MAX_QUESTIONS {
        out.line(&format!("  and {} more; `--json` has them all", count - MAX_QUESTIONS))?;
    }
    Ok(())
}
