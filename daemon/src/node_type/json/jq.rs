//! jq filters: compiled without anything that reaches out of the value, and run with a limit of time and size.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use fanlight_shared::value::{DEPTH_LIMIT, Value, Values, cut};
use jaq_core::load::{Arena, File, Loader};
use jaq_core::native::{bome, run as native, v};
use jaq_core::{Compiler, Ctx, Error, Filter, Vars, data, load, unwrap_valr};
use jaq_json::{Num, Val};

/// The most results of a filter.
const MAX_RESULTS: usize = 1_000_000;

/// Filters of jq that know what is outside of the value: the environment, the clock, the time zone, the process.
const OUTSIDE: [(&str, usize); 7] = [
    ("env", 0),
    ("now", 0),
    ("localtime", 0),
    ("strflocaltime", 1),
    ("halt", 1),
    ("stderr_empty", 0),
    ("debug_empty", 0),
];

type Data = data::JustLut<Val>;

/// The end of a filter.
pub(super) enum Ended {
    Done(Result<Vec<Value>, String>),
    /// It still runs, in a thread.
    TooLong,
}

/// Runs a filter over a value in a thread of its own.
pub(super) fn run(
    code: String,
    value: Value,
    variables: Values,
    most_bytes: u64,
    time: Duration,
) -> Result<Ended, String> {
    let (sender, receiver) = channel();
    let until = Instant::now() + time;
    let work = move || {
        let _ = sender.send(evaluate(&code, value, variables, most_bytes, until));
    };
    let thread = std::thread::Builder::new().name("jq".into()).stack_size(64 << 20).spawn(work);
    let thread = thread.map_err(|error| format!("the filter can't be run: {error}"))?;
    match receiver.recv_timeout(time) {
        Ok(Err(None)) | Err(RecvTimeoutError::Timeout) => Ok(Ended::TooLong),
        Ok(Err(Some(error))) => Ok(Ended::Done(Err(error))),
        Ok(Ok(values)) => Ok(Ended::Done(Ok(values))),
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Ok(()) => Err("the filter ended without a result".into()),
            Err(panic) => std::panic::resume_unwind(panic),
        },
    }
}

/// Returns the results; an error is `None` where the time is over.
fn evaluate(
    code: &str,
    value: Value,
    variables: Values,
    most_bytes: u64,
    until: Instant,
) -> Result<Vec<Value>, Option<String>> {
    let names: Vec<String> = variables.keys().map(|name| format!("${name}")).collect();
    let filter = compile(code, &names).map_err(Some)?;
    let variables = Vars::new(variables.into_values().map(to_jq).collect::<Vec<_>>());
    let context = Ctx::<Data>::new(&filter.lut, variables);
    let (mut results, mut bytes) = (Vec::new(), 0);
    for result in filter.id.run((context, to_jq(value))).map(unwrap_valr) {
        let result = result.map_err(|error| Some(format!("the filter failed: {}", sentence(error))))?;
        let result = from_jq(&result, 0).map_err(Some)?;
        bytes += result.content_bytes();
        if bytes > most_bytes || results.len() == MAX_RESULTS {
            return Err(Some(format!(
                "the filter makes more than {} MiB, or more than {MAX_RESULTS} results; let it pick less",
                most_bytes >> 20
            )));
        }
        results.push(result);
        if Instant::now() > until {
            return Err(None);
        }
    }
    Ok(results)
}

/// Compiles a filter.
///
/// # Errors
/// A sentence that says where it is wrong.
pub(super) fn compile(code: &str, variables: &[String]) -> Result<Filter<Data>, String> {
    let outside = |name: &str, args: usize| OUTSIDE.contains(&(name, args));
    let funs = jaq_core::funs::<Data>().chain(jaq_std::funs()).chain(jaq_json::funs());
    let funs = funs.filter(|(name, args, _)| !outside(name, args.len()));
    let refused = OUTSIDE.map(|(name, args)| {
        native((name, v(args), |_| {
            bome(Err(Error::str(
                "it may not ask for anything outside of its value: environment, clock, time zone, messages",
            )))
        }))
    });
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let arena = Arena::default();
    let modules = Loader::new(defs).load(&arena, File { code, path: () }).map_err(|errors| {
        let found = errors.into_iter().find_map(|(_, error)| match error {
            load::Error::Io(all) => {
                all.into_iter().next().map(|(at, _)| (at, "modules can't be read here".to_owned()))
            }
            load::Error::Lex(all) => {
                all.into_iter().next().map(|(expected, at)| (at, format!("expected {}", expected.as_str())))
            }
            load::Error::Parse(all) => {
                all.into_iter().next().map(|(expected, at)| (at, format!("expected {}", expected.as_str())))
            }
        });
        at_place(code, found)
    })?;
    let compiler = Compiler::<_, Data>::default()
        .with_funs(funs.chain(refused))
        .with_global_vars(variables.iter().map(String::as_str));
    compiler.compile(modules).map_err(|errors| {
        let found = errors.into_iter().flat_map(|(_, all)| all).next();
        at_place(
            code,
            found.map(|(at, what)| (at, format!("there is no {} `{}`", what.as_str(), cut(at, 40)))),
        )
    })
}

/// Returns a sentence about a place of a filter.
fn at_place(code: &str, found: Option<(&str, String)>) -> String {
    let Some((part, what)) = found else { return "the filter can't be read".into() };
    let start = (part.as_ptr() as usize).wrapping_sub(code.as_ptr() as usize);
    let Some(before) = code.get(..start) else { return format!("the filter: {what}") };
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let rest = code[start..].trim();
    let found = if rest.is_empty() { "its end".into() } else { format!("`{}`", cut(rest, 20)) };
    let line = if code.trim().contains('\n') { format!("line {line}, ") } else { String::new() };
    format!("the filter, {line}character {column}: {what}, at {found}")
}

fn sentence(error: Error<Val>) -> String {
    match error.into_val() {
        Val::TStr(text) => cut(&String::from_utf8_lossy(&text), 300),
        other => cut(&other.to_string(), 300),
    }
}

fn to_jq(value: Value) -> Val {
    match value {
        Value::None => Val::Null,
        Value::Bool(it) => Val::Bool(it),
        Value::Int(it) => isize::try_from(it).map_or_else(|_| Val::from(it as f64), Val::from),
        Value::Float(it) => Val::from(it),
        Value::Text(text) => Val::from(text),
        Value::List(items) => items.into_iter().map(to_jq).collect(),
        Value::Object(fields) => {
            Val::obj(fields.into_iter().map(|(name, it)| (Val::from(name), to_jq(it))).collect())
        }
        // What holds media was refused, and what is large was read.
        Value::Media(media) => Val::from(media.name.clone()),
        Value::Large(large) => Val::from(large.head.clone()),
    }
}

fn from_jq(value: &Val, depth: usize) -> Result<Value, String> {
    if depth > DEPTH_LIMIT {
        return Err(format!("the filter nests lists and objects more than {DEPTH_LIMIT} levels deep"));
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(match value {
        Val::Null => Value::None,
        Val::Bool(it) => Value::Bool(*it),
        Val::Num(Num::Int(it)) => Value::Int(*it as i64),
        Val::Num(Num::Float(it)) => Value::Float(*it),
        Val::Num(other) => {
            let digits = other.to_string();
            match digits.parse() {
                Ok(int) => Value::Int(int),
                Err(_) => Value::Float(
                    digits.parse().map_err(|_| format!("`{}` is not a number", cut(&digits, 40)))?,
                ),
            }
        }
        Val::BStr(bytes) | Val::TStr(bytes) => Value::Text(text(bytes)),
        Val::Arr(items) => {
            Value::List(items.iter().map(|it| from_jq(it, depth + 1)).collect::<Result<_, _>>()?)
        }
        Val::Obj(fields) => {
            let field = |(name, it): (&Val, &Val)| match name {
                Val::TStr(name) | Val::BStr(name) => Ok((text(name), from_jq(it, depth + 1)?)),
                other => Err(format!("the filter makes an object with the name {other}, which is not text")),
            };
            Value::Object(fields.iter().map(field).collect::<Result<_, _>>()?)
        }
    })
}
