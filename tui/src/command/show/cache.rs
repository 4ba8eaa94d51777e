//! `fanlight show --cache`: which nodes of a run reused results, and why the others were computed.

use fanlight_shared::client::Client;
use fanlight_shared::origin::Origin;
use fanlight_shared::rpc::cache::{Explain, Explained, Miss};
use fanlight_shared::run::Run;
use fanlight_shared::sanitise;

use crate::failure::Failure;
use crate::output::style::{Paint, Role, node_glyph};
use crate::output::table::{Cell, Table};
use crate::output::{Out, json};
use crate::text;

/// How many different parts of a key are named; `--json` has more.
const SHOWN_DIFFERENCES: usize = 4;

/// Prints the nodes of a run, with where their results came from.
pub(super) async fn print(client: &Client, run: &Run, as_json: bool) -> Result<(), Failure> {
    let mut out = Out::new();
    let mut table = Table::new(&["NODE", "STATE", "RESULT"]);
    let mut cursor = None;
    loop {
        let page = client.call(Explain { run_id: run.id, cursor, limit: Some(1000) }).await?;
        for node in &page.rows {
            if as_json { json::print(&mut out, node)? } else { table.row(row(node)) }
        }
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    if !as_json {
        let name = Paint::stdout().apply(Role::Strong, &run.name());
        out.line(&format!("{name}  {}", sanitise::line(&run.label)))?;
        table.print(&mut out)?;
    }
    out.flush()
}

fn row(node: &Explained) -> Vec<Cell> {
    let state =
        Cell::new(format!("{} {}", node_glyph(node.state), node.state.word()), Role::of_node(node.state));
    vec![sanitise::line(&node.node).into(), state, sentence(node).into()]
}

/// Returns where the result of a node came from, or why it was computed.
fn sentence(node: &Explained) -> String {
    let reused = node.origin.as_ref().map(|origin| format!("reused from {}", name(origin)));
    let miss = node.miss.as_ref().map(reason);
    let items = node.items_cached.zip(node.items_computed).filter(|(cached, computed)| cached + computed > 0);
    let Some((cached, computed)) = items else {
        return miss.or(reused).unwrap_or_default();
    };
    let count = |count: u32| text::count(count as usize, "item");
    let reused = reused.filter(|_| cached > 0).map(|reused| format!("{} {reused}", count(cached)));
    let miss = miss.map(|miss| match computed {
        1 => format!("1 item computed: {miss}"),
        _ => format!("{} computed, the first one: {miss}", count(computed)),
    });
    reused.into_iter().chain(miss).collect::<Vec<_>>().join("; ")
}

fn reason(miss: &Miss) -> String {
    let text = sanitise::line(&miss.text);
    let Some(nearest) = &miss.nearest else { return text };
    if miss.differs.is_empty() {
        return format!("{text}: {}", name(nearest));
    }
    let shown: Vec<String> =
        miss.differs.iter().take(SHOWN_DIFFERENCES).map(|part| sanitise::line(part)).collect();
    let left = miss.differs.len() - shown.len() + miss.differs_left as usize;
    let verb = if miss.differs.len() == 1 { "differs" } else { "differ" };
    match left {
        0 => format!("{} {verb} from {}", join(&shown), name(nearest)),
        _ => format!("{} and {left} more differ from {}", shown.join(", "), name(nearest)),
    }
}

/// Joins words with commas, and with `and` before the last one.
fn join(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn name(origin: &Origin) -> String {
    sanitise::line(&format!("{} · {}{}", origin.run, origin.node, origin.item))
}
