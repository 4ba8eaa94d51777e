//! The end of a failed command's output, for `run` and `watch`.

use fanlight_shared::client::Client;
use fanlight_shared::client::projection::{Projection, Row};
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::logs::{Part, Read, Stream};
use fanlight_shared::run::{NodeStatus, RunStatus};
use fanlight_shared::run_state::{InstanceState, NodeState};
use fanlight_shared::sanitise;

use crate::output;
use crate::output::style::{Paint, Role};
use crate::text;

/// How many lines are shown of one log.
const LINES: usize = 10;
/// The maximum width of a line, in columns: a command may have written everything in one.
const LINE_WIDTH: usize = 400;
/// The maximum number of failed commands that are shown.
const MAX_COMMANDS: usize = 3;
/// How much of the end of a log is read, in bytes.
const MAX_TAIL_BYTES: u64 = 16 * 1024;

/// A command that failed.
struct FailedCommand<'a> {
    row: Row<'a>,
    node: &'a str,
    item: ItemPath,
}

impl FailedCommand<'_> {
    /// Returns `train`, or `train[3]`.
    fn name(&self) -> String {
        format!("{}{}", self.node, self.item)
    }
}

/// Prints the last lines of the commands that failed their runs, on stderr, and how to read the rest.
pub(super) async fn failed_commands(client: &Client, projection: &Projection) {
    let failed: Vec<FailedCommand<'_>> = projection.rows().flat_map(failed_of).collect();
    let paint = Paint::stderr();
    let mut shown = 0;
    for command in failed.iter().take(MAX_COMMANDS) {
        let run = command.row.run.name();
        let lines = last_lines(client, command).await;
        if lines.is_empty() {
            continue;
        }
        shown += 1;
        output::note(&format!("{run} {}", paint.apply(Role::Strong, &format!("{} wrote:", command.name()))));
        for line in lines {
            output::note(&format!("  {line}"));
        }
        let word = paint.apply(Role::Accent, "hint:");
        output::note(&format!("{word} `fanlight logs '{run}' '{}'` shows all of it", command.name()));
    }
    if failed.len() > MAX_COMMANDS {
        output::note(&format!(
            "{}; `fanlight logs RUN --failed` shows what they wrote",
            rest(failed.len(), shown)
        ));
    }
}

/// Returns how many commands failed besides those whose output was shown.
fn rest(failed: usize, shown: usize) -> String {
    let noun = if shown == 0 { "command" } else { "more command" };
    format!("{} failed", text::count(failed - shown, noun))
}

/// Returns the commands that failed a run.
fn failed_of(row: Row<'_>) -> Vec<FailedCommand<'_>> {
    let (RunStatus::Failed, Some(state)) = (row.run.state, row.state) else { return Vec::new() };
    let error = row.run.error.as_deref().unwrap_or_default();
    // A node that may fail doesn't fail the run.
    let guilty = |name: &str| error.contains(&format!("node `{name}` failed"));
    let failed = state.nodes.iter().filter(|(name, _)| guilty(name));
    failed
        .filter_map(|(name, node)| Some(FailedCommand { row, node: name, item: failed_item(node)? }))
        .collect()
}

/// Returns the item whose command failed first, or the node as a whole.
fn failed_item(node: &NodeState) -> Option<ItemPath> {
    // Nodes that run inside the daemon or a worker write no log.
    let is_command = |it: &InstanceState| it.attempts.last().is_some_and(|attempt| attempt.id.is_some());
    match node.item_errors.first() {
        Some(first) => {
            let known = node.items.get(&first.item);
            known.is_none_or(is_command).then(|| ItemPath::item(first.item))
        }
        None => {
            (node.whole.status == NodeStatus::Failed && is_command(&node.whole)).then_some(ItemPath::WHOLE)
        }
    }
}

/// Returns the last lines of stderr; of a command that wrote nothing there, those of stdout.
async fn last_lines(client: &Client, command: &FailedCommand<'_>) -> Vec<String> {
    let read = |offset: u64| Read {
        run_id: command.row.run.id,
        node: command.node.to_owned(),
        item: command.item,
        attempt: None,
        offset,
        limit: None,
    };
    // If the log or the daemon is gone, there is nothing to show.
    let Ok(end) = client.call(read(u64::from(u32::MAX))).await else { return Vec::new() };
    let Ok(part) = client.call(read(end.end.saturating_sub(MAX_TAIL_BYTES))).await else { return Vec::new() };
    let of = |stream| lines_of(&part, stream);
    let stderr = of(Stream::Stderr);
    if stderr.is_empty() { of(Stream::Stdout) } else { stderr }
}

fn lines_of(part: &Part, stream: Stream) -> Vec<String> {
    let whole: String =
        part.pieces.iter().filter(|it| it.stream == stream).map(|it| it.text.as_str()).collect();
    let lines: Vec<&str> = whole.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines[lines.len().saturating_sub(LINES)..].iter();
    last.map(|line| text::fit(&sanitise::line(line), LINE_WIDTH)).collect()
}

#[cfg(test)]
mod tests {
    use fanlight_shared::rpc::logs::Piece;

    use super::*;

    #[test]
    fn the_last_lines_of_one_stream_are_shown() {
        let piece = |stream, text: String| Piece { stream, text };
        let many: String = (1..=20).map(|line| format!("line {line}\n\n")).collect();
        let part = Part {
            attempt: 1,
            offset: 0,
            pieces: vec![
                piece(Stream::Stderr, many),
                piece(Stream::Stdout, "between\n".into()),
                piece(Stream::Stderr, "\u{1b}[2Jend".into()),
            ],
            next: 0,
            end: 0,
            ended: true,
            limit: 0,
        };
        let lines = lines_of(&part, Stream::Stderr);
        assert_eq!((lines.len(), lines[0].as_str()), (LINES, "line 12"));
        assert!(lines[9].ends_with("end") && !lines[9].contains('\u{1b}'));
        assert_eq!(lines_of(&part, Stream::Stdout), ["between"]);
        assert!(lines_of(&part, Stream::Log).is_empty());
        let long = Part { pieces: vec![piece(Stream::Stderr, "x".repeat(10_000))], ..part };
        let lines = lines_of(&long, Stream::Stderr);
        assert!(lines.len() == 1 && text::width(&lines[0]) == LINE_WIDTH && lines[0].ends_with('…'));
    }

    #[test]
    fn commands_are_more_only_than_those_that_were_shown() {
        assert_eq!(rest(6, 0), "6 commands failed");
        assert_eq!(rest(6, 3), "3 more commands failed");
        assert_eq!(rest(4, 3), "1 more command failed");
    }
}
