//! `fanlight answer`: lists questions, shows one, answers it.

use std::path::Path;

use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::item::ItemPath;
use fanlight_shared::problem::no_node;
use fanlight_shared::question::{Question, QuestionKind};
use fanlight_shared::rpc::questions::{List, OpenQuestion};
use fanlight_shared::rpc::runs;
use fanlight_shared::run_state::RunState;
use fanlight_shared::sanitise;
use fanlight_shared::time::{Time, human_duration};
use fanlight_shared::types::Type;
use fanlight_shared::value::Value;
use serde_json::{Value as Json, json};

use super::interrupt::Interrupt;
use super::reconnect::Reconnects;
use super::{find_run, request_key};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::question::{command, lines, name_of};
use crate::output::style::{Paint, Role};
use crate::output::table::{Cell, Table};
use crate::output::{self, Out, json};
use crate::text_file;

/// The maximum size of an answer's file, in bytes.
const MAX_ANSWER_BYTES: u64 = 64 << 10;

/// The arguments of `answer`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The run that asks. Without it, all open questions are listed.
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// The node that asks, with its item as in `pick[3]`. It may be omitted if the run has only one question.
    #[arg(value_name = "NODE|VALUE", allow_negative_numbers = true)]
    first: Option<String>,
    /// The answer: `yes` or `no`, a value, a choice by its text or its number, or `@FILE` for the text of a file.
    /// Without it the question is printed.
    #[arg(value_name = "VALUE", allow_negative_numbers = true)]
    rest: Vec<String>,
    /// Print JSON, one object per line.
    #[arg(long)]
    json: bool,
}

/// Runs `answer`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let context = Context::from_env()?;
    let client = context.connect().await?;
    let Some(run) = &args.run else {
        let open = questions(&client, List::default()).await?;
        return list(&open, args.json);
    };
    let detail = find_run(&client, run).await?;
    let run = &detail.run;
    let open = questions(&client, List { run_id: Some(run.id), ..List::default() }).await?;
    let words: Vec<String> = args.first.into_iter().chain(args.rest).collect();
    if open.is_empty() {
        let why = answered(&detail.state, words.first())
            .map(|place| answered_already(&place, &run.name()))
            .unwrap_or_else(|| format!("{} asks nothing: it is {}", run.name(), run.state.word()));
        return Err(Failure::failed(why).hint("`fanlight answer` lists what is asked"));
    }
    let (asked, words) = choose(&open, &words, &run.name(), &detail.state)?;
    if words.is_empty() {
        return show(&asked, args.json);
    }
    let [one] = &asked[..] else { return Err(which(&run.name(), &open)) };
    let value = read(&one.question, words).map_err(|why| {
        Failure::usage(format!("{} asks for {}: {why}", name_of(one), one.question.expects()))
    })?;
    send(&context, client, one, value.clone()).await?;
    let said = one.question.shown(&value);
    if args.json {
        let mut out = Out::new();
        let (run, node, item) = (&one.run, &one.node, one.item);
        json::print(&mut out, &json!({ "run": run, "node": node, "item": item, "answer": value.to_json() }))?;
        return out.flush();
    }
    output::note(&format!("{} {}: {}", one.run, name_of(one), sanitise::line(&said)));
    Ok(())
}

/// Returns all open questions, page by page.
async fn questions(client: &Client, mut list: List) -> Result<Vec<OpenQuestion>, Failure> {
    let mut all = Vec::new();
    loop {
        let page = client.call(list.clone()).await?;
        all.extend(page.rows);
        list.cursor = page.cursor;
        if list.cursor.is_none() {
            return Ok(all);
        }
    }
}

/// Returns the questions that the arguments after the run mean, and the remaining arguments, which are the answer.
fn choose<'a>(
    open: &'a [OpenQuestion],
    words: &'a [String],
    run: &str,
    state: &RunState,
) -> Result<(Vec<&'a OpenQuestion>, &'a [String]), Failure> {
    let Some((first, rest)) = words.split_first() else { return Ok((open.iter().collect(), words)) };
    let of = |name: &str| open.iter().filter(|it| name_of(it) == name || it.node == name).collect::<Vec<_>>();
    let named = of(first);
    if !named.is_empty() {
        return Ok((named, rest));
    }
    if let [only] = open {
        let takes_several = matches!(only.question.kind, QuestionKind::Choice { several: true, .. });
        if rest.is_empty() || takes_several {
            return Ok((vec![only], words));
        }
    }
    // An item is given in brackets after its node.
    let node = first.split('[').next().unwrap_or_default();
    let shown = sanitise::line(first);
    if state.nodes.contains_key(node) {
        return Err(Failure::failed(match answered(state, Some(first)) {
            Some(place) => answered_already(&place, run),
            None => format!("`{shown}` of {run} asks nothing"),
        }));
    }
    if rest.is_empty() {
        return Err(which(run, open));
    }
    let (message, hint) = no_node(run, first, open.iter().map(|it| it.node.as_str()));
    Err(Failure::usage(message).maybe_hint(hint))
}

/// Returns the node, or the item of it, that was answered and is meant by the first word: it is its name, or if it names
/// no node, the only one that was answered.
fn answered(state: &RunState, word: Option<&String>) -> Option<String> {
    let instances = state.nodes.iter().flat_map(|(name, node)| {
        let items = node.items.iter().map(|(index, instance)| (ItemPath::item(*index), instance));
        let all = items.chain([(ItemPath::WHOLE, &node.whole)]);
        all.map(move |(item, instance)| (name, format!("{name}{item}"), instance))
    });
    let answered = instances.filter(|(.., it)| it.attempts.iter().any(|attempt| attempt.answer.is_some()));
    let all: Vec<(&String, String)> = answered.map(|(name, place, _)| (name, place)).collect();
    let named = word.and_then(|word| all.iter().find(|(name, place)| place == word || *name == word));
    if let Some((_, place)) = named {
        return Some(place.clone());
    }
    let names_another =
        word.is_some_and(|word| state.nodes.contains_key(word.split('[').next().unwrap_or_default()));
    match &all[..] {
        [(_, place)] if !names_another => Some(place.clone()),
        _ => None,
    }
}

fn answered_already(place: &str, run: &str) -> String {
    format!("`{}` of {run} has already been answered", sanitise::line(place))
}

/// Returns the error if the run has several questions and the command doesn't name one.
fn which(run: &str, open: &[OpenQuestion]) -> Failure {
    const SHOWN: usize = 8;
    let names: Vec<String> = open.iter().take(SHOWN).map(name_of).collect();
    let more = open.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Failure::usage(format!("{run} asks {} things: {}{more}", open.len(), names.join(", "))).hint(format!(
        "name the node: `fanlight answer '{run}' {} VALUE`",
        names.first().map_or("", String::as_str)
    ))
}

/// Returns the answer that was typed; `@FILE` is the text of a file, `@@…` a text that begins with `@`.
fn read(question: &Question, words: &[String]) -> Result<Value, String> {
    let words = words.iter().map(|word| match word.strip_prefix('@') {
        Some(rest) if rest.starts_with('@') => Ok(rest.to_owned()),
        Some(file) => {
            let text = text_file::read(Path::new(file), MAX_ANSWER_BYTES)?;
            let whole = matches!(question.kind, QuestionKind::Value { ty: Type::Text });
            Ok(if whole { text } else { text.trim().to_owned() })
        }
        None => Ok(word.clone()),
    });
    question.read(&words.collect::<Result<Vec<_>, String>>()?)
}

/// Sends the answer; it counts once, even if the connection breaks.
async fn send(
    context: &Context,
    mut client: Client,
    asked: &OpenQuestion,
    value: Value,
) -> Result<(), Failure> {
    let request = runs::Answer {
        run_id: asked.run_id,
        node: asked.node.clone(),
        item: asked.item,
        attempt: Some(asked.attempt),
        value,
        request_key: request_key(),
    };
    let (mut interrupt, mut reconnects) = (Interrupt::new()?, Reconnects::new());
    loop {
        let answer = tokio::select! {
            answer = client.call(request.clone()) => answer,
            () = interrupt.reaches(1) => return Err(Failure::interrupted()),
        };
        match answer {
            Err(ClientError::Disconnected(_)) => {
                output::note("the connection to the daemon was lost; connecting again");
                client = reconnects.connect(context, &mut interrupt, 1, &asked.run).await?;
            }
            answer => return Ok(answer.map(|_| ())?),
        }
    }
}

/// Prints all open questions, one per line.
fn list(open: &[OpenQuestion], as_json: bool) -> Result<(), Failure> {
    let mut out = Out::new();
    if as_json {
        for question in open {
            json::print(&mut out, &object(question))?;
        }
        return out.flush();
    }
    if open.is_empty() {
        output::note("nobody is asked anything");
        return Ok(());
    }
    let mut table = Table::new(&["RUN", "NODE", "ASKS", "ANSWER", "SINCE"]);
    for one in open {
        table.row(vec![
            Cell::new(one.run.as_str(), Role::Strong),
            name_of(one).into(),
            sanitise::line(&one.question.text).into(),
            one.question.expects().into(),
            human_duration(Time::now().since(one.asked_at)).into(),
        ]);
    }
    table.print(&mut out)?;
    out.flush()?;
    if out.is_terminal() {
        output::note(&format!("answer with {}", open.first().map(command).unwrap_or_default()));
    }
    Ok(())
}

/// Prints questions in full.
fn show(asked: &[&OpenQuestion], as_json: bool) -> Result<(), Failure> {
    let mut out = Out::new();
    for (at, one) in asked.iter().enumerate() {
        if as_json {
            json::print(&mut out, &object(one))?;
            continue;
        }
        if at > 0 {
            out.line("")?;
        }
        for line in lines(one, Paint::stdout()) {
            out.line(&line)?;
        }
    }
    out.flush()
}

/// Returns the stable JSON of an open question.
fn object(one: &OpenQuestion) -> Json {
    let mut object = json::question(&one.question);
    if let Some(fields) = object.as_object_mut() {
        fields.insert("run".into(), json!(one.run));
        fields.insert("run_id".into(), json!(one.run_id));
        fields.insert("node".into(), json!(one.node));
        fields.insert("item".into(), json!(one.item));
        fields.insert("attempt".into(), json!(one.attempt));
        fields.insert("asked_at".into(), json!(one.asked_at));
    }
    object
}
