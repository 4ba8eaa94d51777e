//! The environment of a submission from here: this process's `PATH`, the variables that the file asks for, and
//! those given by `--env`. A daemon on another computer gets only the last: paths of this one mean nothing there.

use std::env::VarError;

use fanlight_shared::environment::{Environment, NAMES, check_name};
use fanlight_shared::sanitise;
use fanlight_shared::workflow::Workflow;

use crate::failure::Failure;

/// Returns what a submission of this workflow carries; `elsewhere` says that the daemon is on another computer.
///
/// # Errors
/// A variable that can't be sent, or a `--env NAME` that is not set here; the message never has a value.
pub(crate) fn submitted(
    workflow: &Workflow,
    given: &[String],
    elsewhere: bool,
) -> Result<Environment, Failure> {
    let mut environment = match elsewhere {
        true => Environment::default(),
        false => asked_for(std::iter::once("PATH").chain(workflow.passed_variables()))?,
    };
    environment.extend(named(given)?);
    environment.check().map_err(Failure::usage)?;
    Ok(environment)
}

/// Returns the variables that a file asks for, those of them that are set here: the command does without the others.
///
/// # Errors
/// A variable that can't be sent.
pub(crate) fn asked_for<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Environment, Failure> {
    let mut environment = Environment::default();
    for name in names {
        if let Some(value) = own(name)? {
            environment.insert(name, value);
        }
    }
    Ok(environment)
}

/// Returns the variables that are given by `--env NAME=VALUE` and `--env NAME`.
///
/// # Errors
/// As [`submitted`].
pub(crate) fn named(given: &[String]) -> Result<Environment, Failure> {
    let mut environment = Environment::default();
    for text in given {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text.as_str(), None),
        };
        check_name(name).map_err(|error| Failure::usage(format!("`--env`: {error}")).hint(NAMES))?;
        let value = match value {
            Some(value) => value,
            None => own(name)?.ok_or_else(|| {
                Failure::usage(format!("`--env {name}`: the variable `{name}` is not set here"))
                    .hint(format!("set it, or give it a value: `--env {name}=value`"))
            })?,
        };
        environment.insert(name, value);
    }
    environment.check().map_err(Failure::usage)?;
    Ok(environment)
}

fn own(name: &str) -> Result<Option<String>, Failure> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            let name = sanitise::line(name);
            Err(Failure::usage(format!("the variable `{name}` is not UTF-8, so it can't be sent"))
                .hint(format!("set `{name}` to another value for this command")))
        }
    }
}
