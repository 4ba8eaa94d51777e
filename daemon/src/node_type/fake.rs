//! Node types for tests: they use services that no other type uses yet.

use std::path::Path;
use std::time::Duration;

use fanlight_shared::event::{Prediction, TaskStatus};
use fanlight_shared::question::Question;
use fanlight_shared::time::Time;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::build::{Build, ty};
use super::typed_inputs::TypedInputs;
use super::{Made, NodeCall, NodeType, Runner, Workspace};
use crate::file_error::FileError;
use crate::services::Level;

/// Returns the types of tests.
pub(crate) fn types() -> Vec<NodeType> {
    vec![stream(), ask(), agent(), elsewhere(), remembered(), work(), crash()]
}

/// Runs in a worker that finds its disk full as long as `full` is there, and hands `file` on.
fn work() -> NodeType {
    Build::new("test.work", "Runs in a worker.")
        .input("full", Type::Text, "A path.")
        .optional()
        .input("file", ty::file(), "A file.")
        .optional()
        .input(
            "say",
            Type::Text,
            "The text that it writes word by word, before it shows a picture and waits forever.",
        )
        .optional()
        .input("flood", Type::Int, "How often it says the same.")
        .optional()
        .input("give_up", Type::Bool, "Whether the worker is to end after it.")
        .optional()
        .output("file", ty::file(), "The same file.")
        .run(Runner::worker(|workspace, inputs| {
            if let Some(text) = inputs.maybe("say").and_then(Value::as_text) {
                say_all(workspace, text)?;
            }
            for number in 0..inputs.maybe("flood").and_then(Value::as_int).unwrap_or(0) {
                let services = workspace.services();
                services.chunk(&format!("{number:>99}\n"));
                services.progress(Some(0.5), Some("floods"));
                services.metric("said", number as f64, None);
            }
            if inputs.contains_key("give_up") {
                workspace.give_up();
                return Err(FileError::Other("it never ends".into()));
            }
            if inputs.maybe("full").and_then(Value::as_text).is_some_and(|path| Path::new(path).exists()) {
                return Err(FileError::Full("the disk of the worker is full".into()));
            }
            Ok(inputs.into_iter().filter(|(name, _)| name == "file").collect())
        }))
}

/// Says text and reasoning, word by word, with everything else that a node in a worker may say, and never ends.
fn say_all(workspace: &mut Workspace, text: &str) -> Result<(), FileError> {
    let services = workspace.services().clone();
    std::fs::write(services.scratch().map_err(|error| error.to_string())?.join("draft"), text)
        .map_err(|error| error.to_string())?;
    services.reasoning("which word is first?");
    let words: Vec<&str> = text.split_inclusive(' ').collect();
    for (at, word) in words.iter().enumerate() {
        services.chunk(word);
        services.metric("words", (at + 1) as f64, None);
        services.progress(Some((at + 1) as f64 / words.len() as f64), Some("writes"));
    }
    services.log(Level::Warn, "that was all");
    services.spend(0.5);
    let picture = image::DynamicImage::new_rgb8(4, 4);
    let value = workspace.put_picture("draft", &picture)?;
    services.partial("file", value);
    loop {
        std::thread::park();
    }
}

/// Returns a type that crashes.
fn crash() -> NodeType {
    Build::new("test.crash", "Crashes.")
        .output("text", Type::Text, "Nothing.")
        .run(Runner::daemon(|_| async { panic!("no\u{1b}[2J luck") }))
}

/// Returns a type that is run by an executor outside of this crate.
fn elsewhere() -> NodeType {
    Build::new("test.elsewhere", "Runs where the test says.")
        .input("script", Type::Text, "The script to run.")
        .output("stdout", Type::Text, "The output of the script.")
        .run(Runner::Executor { name: "elsewhere".into(), pool: None, at_once: None })
}

/// Returns a type that is run by an executor outside of this crate, in a pool.
pub(crate) fn in_pool(name: &str, pool: &str) -> NodeType {
    let run = Runner::Executor { name: "elsewhere".into(), pool: Some(pool.into()), at_once: None };
    Build::new(name, "Runs in a pool.").output("stdout", Type::Text, "The output.").run(run)
}

/// Returns a type whose results are reused, run by the same executor.
fn remembered() -> NodeType {
    Build::new("test.remembered", "Runs where the test says, once for the same script.")
        .input("script", Type::Text, "The script to run.")
        .output("stdout", Type::Text, "The output of the script.")
        .remember()
        .run(Runner::Executor { name: "elsewhere".into(), pool: None, at_once: None })
}

/// Returns a type that writes its text word by word, as a language model does, and uses all other services.
fn stream() -> NodeType {
    Build::new("test.stream", "Writes a text word by word.")
        .input("text", Type::Text, "The text.")
        .secret()
        .input("then", Type::Text, "How it ends: `done`, `fail` or `hang`.")
        .default("done")
        .output("text", Type::Text, "The text.")
        .run(Runner::daemon(run))
}

/// Returns a type that asks a person for a text.
fn ask() -> NodeType {
    Build::new("test.ask", "Asks a person.")
        .input("question", Type::Text, "The question to ask.")
        .input("default", Type::Text, "The answer at the deadline.")
        .optional()
        .input("within", Type::Int, "How long it waits, in milliseconds.")
        .optional()
        .output("answer", Type::Any, "The answer.")
        .run(Runner::daemon(ask_a_person))
}

/// Returns a type that works like an agent: it plans, calls a tool, and asks a model.
fn agent() -> NodeType {
    Build::new("test.agent", "Plans, calls a tool and asks a model.")
        .input("then", Type::Text, "How it ends: `done`, `fail`, `panic` or `hang`.")
        .default("done")
        .output("text", Type::Text, "The text that it found.")
        .run(Runner::daemon(plan_and_call))
}

async fn plan_and_call(call: NodeCall) -> Made {
    let services = &call.services;
    services.plan("1. look\n2. tell");
    services.reasoning("it could be anywhere");
    services.task(1, "look", TaskStatus::Running);
    services.task(2, "tell", TaskStatus::Waiting);
    let fetch = services.tool_call("http.fetch", &format!("{{\"url\": \"{}\"}}", "long ".repeat(400)));
    services.tool_result(fetch, Ok("found\u{1b}[2J it"));
    let lost = services.tool_call("shell", "true");
    services.tool_result(lost, Err("the file does not allow it"));
    for output_tokens in [5, 7] {
        services.prediction(&Prediction {
            provider: "local".into(),
            model: "tiny".into(),
            input_tokens: 100,
            output_tokens,
            cost_usd: Some(0.25),
        });
    }
    services.task(1, "look", TaskStatus::Completed);
    match call.inputs.text("then")? {
        "fail" => return Err("it found nothing".into()),
        "panic" => panic!("no luck"),
        "hang" => services.cancel().cancelled().await,
        _ => {}
    }
    Ok((Values::from([("text".to_owned(), Value::from("found it"))]), Vec::new()))
}

async fn ask_a_person(call: NodeCall) -> Made {
    match call.services.answer() {
        Some(answer) => {
            let value = answer.value.clone().ok_or("nobody answered")?;
            Ok((Values::from([("answer".to_owned(), value)]), Vec::new()))
        }
        None => {
            let mut question = Question::value(call.inputs.text("question")?, Type::Text);
            question.default = call.inputs.maybe("default").cloned();
            if call.inputs.maybe("within").is_some() {
                let within = Duration::from_millis(call.inputs.count("within")?.into());
                question.deadline = Some(Time::now().plus(within));
            }
            call.services.ask(question);
            Err("it asked".into())
        }
    }
}

async fn run(call: NodeCall) -> Made {
    let (text, then) = (call.inputs.text("text")?.to_owned(), call.inputs.text("then")?.to_owned());
    let services = &call.services;
    let scratch = services.scratch().map_err(|error| error.to_string())?;
    std::fs::write(scratch.join("draft"), &text).map_err(|error| error.to_string())?;
    services.log(Level::Info, "begins");
    let words: Vec<&str> = text.split_inclusive(' ').collect();
    for (at, word) in words.iter().enumerate() {
        services.chunk(word);
        services.spend(0.25);
        services.metric("words", (at + 1) as f64, None);
        services.partial("text", Value::from(words[..=at].concat()));
        services.progress(Some((at + 1) as f64 / words.len() as f64), Some("writes"));
    }
    match then.as_str() {
        "fail" => return Err(format!("it does not like `{text}`").into()),
        "hang" => services.cancel().cancelled().await,
        _ => {}
    }
    Ok((Values::from([("text".to_owned(), Value::from(text))]), Vec::new()))
}
