//! Runs code in a runtime of its own, in a thread of its own.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use fanlight_shared::value::Values;
use rquickjs::context::{EvalOptions, intrinsic};
use rquickjs::promise::PromiseState;
use rquickjs::{Context, Ctx, Function, Promise, Runtime, Value as Js};

use super::convert::{self, Plain};
use super::error::{self, Stopped};
use crate::services::{Level, NodeServices};

/// The stack of the code, in bytes, and that of the thread, which has room for what the engine needs besides.
const CODE_STACK_BYTES: usize = 4 << 20;
const THREAD_STACK_BYTES: usize = 16 << 20;
/// How long a step that can't be interrupted may continue after the time limit.
const GRACE: Duration = Duration::from_secs(2);

/// Everything of the language but the clock of `performance`.
type Language = (
    intrinsic::Date,
    intrinsic::Eval,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::Proxy,
    intrinsic::MapSet,
    intrinsic::TypedArrays,
    intrinsic::Promise,
    intrinsic::WeakRef,
    intrinsic::DOMException,
);

/// The limits of the code.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// How long it may take.
    pub(super) time: Duration,
    /// The memory of its values, in bytes.
    pub(super) memory_bytes: usize,
    /// The size of what it returns, in bytes.
    pub(super) value_bytes: u64,
}

/// The end of the code.
pub(super) enum Ended {
    Done(Values),
    Failed(String),
    /// It reached a limit; parts of it may be left in memory, or still run.
    OutOfLimits(String),
}

/// Runs code with these inputs. What it returns is the output `value`, or an object with the declared outputs.
///
/// # Errors
/// The thread can't be started.
pub(super) fn run(
    code: String,
    inputs: Values,
    declared: Vec<String>,
    limits: Limits,
    log: NodeServices,
) -> Result<Ended, String> {
    let (sender, receiver) = channel();
    let work = move || {
        let _ = sender.send(evaluate(&code, &inputs, &declared, limits, log));
    };
    let thread = std::thread::Builder::new().name("code".into()).stack_size(THREAD_STACK_BYTES).spawn(work);
    let thread = thread.map_err(|error| format!("the code can't be run: {error}"))?;
    match receiver.recv_timeout(limits.time + GRACE) {
        Ok(ended) => Ok(ended),
        Err(RecvTimeoutError::Timeout) => Ok(Ended::OutOfLimits(too_long(limits))),
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Ok(()) => Err("the code ended without a result".into()),
            Err(panic) => std::panic::resume_unwind(panic),
        },
    }
}

fn too_long(limits: Limits) -> String {
    format!("the code takes more than {} s, or never ends", limits.time.as_secs())
}

fn evaluate(code: &str, inputs: &Values, declared: &[String], limits: Limits, log: NodeServices) -> Ended {
    let lines = code.lines().count().max(1);
    let refused = |error: rquickjs::Error| Ended::Failed(format!("the code can't be run: {error}"));
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return refused(error),
    };
    runtime.set_memory_limit(limits.memory_bytes);
    runtime.set_max_stack_size(CODE_STACK_BYTES);
    let (over, until) = (Rc::new(Cell::new(false)), Instant::now() + limits.time);
    let interrupted = Rc::clone(&over);
    runtime.set_interrupt_handler(Some(Box::new(move || {
        interrupted.set(interrupted.get() || Instant::now() >= until);
        interrupted.get()
    })));
    let context = match Context::custom::<Language>(&runtime) {
        Ok(context) => context,
        Err(error) => return refused(error),
    };
    let ended = context.with(|ctx| {
        let run = Run { ctx: &ctx, inputs, declared, limits, lines, until };
        run.values(code, log)
    });
    let out_of_limits = match ended {
        Ok(values) if !over.get() => return Ended::Done(values),
        Err(Stopped::Failed(error)) if !over.get() => return Ended::Failed(error),
        Err(Stopped::OutOfMemory) if !over.get() => {
            format!("the code takes more than {} MiB of memory", limits.memory_bytes >> 20)
        }
        Err(Stopped::Null) if !over.get() => {
            format!("the code threw null, or takes more than {} MiB of memory", limits.memory_bytes >> 20)
        }
        _ => too_long(limits),
    };
    // The engine asserts when it ends that nothing is left, and something may be left of what was stopped midway. The
    // process ends soon.
    std::mem::forget((context, runtime));
    Ended::OutOfLimits(out_of_limits)
}

/// One run of the code.
struct Run<'a, 'js> {
    ctx: &'a Ctx<'js>,
    inputs: &'a Values,
    declared: &'a [String],
    limits: Limits,
    /// The number of lines of the code.
    lines: usize,
    until: Instant,
}

impl<'js> Run<'_, 'js> {
    fn values(&self, code: &str, log: NodeServices) -> Result<Values, Stopped> {
        let plain = Plain::of(self.ctx).map_err(|error| self.stopped(error, None))?;
        let text = self.prelude(log).map_err(|error| self.stopped(error, None))?;
        let stopped = |error| self.stopped(error, Some(&text));
        let inputs = convert::inputs(self.ctx, self.inputs).map_err(stopped)?;
        // On the first line, so that lines are numbered as in the file; the last line may end in a comment.
        let wrapped = format!("(async function (inputs) {{{code}\n}})");
        let function: Function<'js> = self.eval(wrapped).map_err(stopped)?;
        let promise: Promise<'js> = function.call((inputs,)).map_err(stopped)?;
        self.finish(&promise)?;
        let returned: Js<'js> = match promise.result() {
            Some(returned) => returned.map_err(stopped)?,
            None => return Err(Stopped::Failed("the code awaits a promise that nothing settles".into())),
        };
        let reading = convert::Reading::new(&plain, self.limits.value_bytes);
        reading.outputs(&returned, self.declared).map_err(|error| match error {
            convert::Unreadable::Wrong(error) => Stopped::Failed(error),
            convert::Unreadable::Thrown(error) => stopped(error),
        })
    }

    /// Runs the jobs of promises until this one is settled.
    fn finish(&self, promise: &Promise<'js>) -> Result<(), Stopped> {
        while promise.state() == PromiseState::Pending && self.ctx.execute_pending_job() {
            if Instant::now() >= self.until {
                return Err(Stopped::TooLong);
            }
        }
        Ok(())
    }

    /// Prepares the globals. Returns the function that describes values in words.
    fn prelude(&self, log: NodeServices) -> rquickjs::Result<Function<'js>> {
        let write = move |level: String, line: String| {
            let level = match level.as_str() {
                "debug" => Level::Debug,
                "warn" => Level::Warn,
                "error" => Level::Error,
                _ => Level::Info,
            };
            log.log(level, &line);
        };
        let prepare: Function<'js> = self.eval(include_str!("prelude.js"))?;
        prepare.call((Function::new(self.ctx.clone(), write)?,))
    }

    fn eval<T: rquickjs::FromJs<'js>>(&self, source: impl Into<Vec<u8>>) -> rquickjs::Result<T> {
        let mut options = EvalOptions::default();
        options.filename = Some(error::FILE.to_owned());
        self.ctx.eval_with_options(source, options)
    }

    fn stopped(&self, error: rquickjs::Error, text: Option<&Function<'js>>) -> Stopped {
        error::stopped(self.ctx, &error, text, self.lines)
    }
}
