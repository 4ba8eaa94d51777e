//! Limits the memory that the values of a run take: results of nodes, and inputs that wait to be read.

use fanlight_shared::event::NodeError;
use fanlight_shared::run::AttemptEnd;
use fanlight_shared::value::{Value, Values};

use super::active::{ActiveRun, Prepared};
use super::questions;
use crate::attempt::Outcome;
use crate::executor::{Argument, Program, Work};
use crate::store::Bodies;

/// The most memory that the values of one run take, in bytes. Large values and media are handles, so it takes very many
/// values to get there.
const LIMIT: usize = 256 << 20;

impl ActiveRun {
    /// Counts values that the run holds from now on, whatever their size.
    pub(super) fn hold(&mut self, values: &Values) {
        self.memory = self.memory.saturating_add(memory_of(values));
    }

    /// Counts the values of an attempt; fails it if they exceed what is left.
    pub(super) fn within_memory(&mut self, outcome: Outcome) -> Outcome {
        let question = outcome.question.as_deref().map_or(0, questions::memory_of);
        let needed = memory_of(&outcome.values) + question;
        let what = if question > 0 { "its question" } else { "its outputs" };
        match self.reserve(needed, what) {
            Ok(()) => outcome,
            Err(sentence) => Outcome {
                end: match outcome.end {
                    AttemptEnd::Completed | AttemptEnd::Parked => AttemptEnd::Failed,
                    end => end,
                },
                error: outcome.error.or_else(|| Some(NodeError::new(sentence))),
                values: Values::new(),
                bodies: Bodies::new(),
                question: None,
                ..outcome
            },
        }
    }

    /// Values are held no longer.
    pub(super) fn release(&mut self, values: &Values) {
        self.memory = self.memory.saturating_sub(memory_of(values));
    }

    /// Counts inputs that wait to be read.
    ///
    /// # Errors
    /// The run already holds too much.
    pub(super) fn reserve_inputs(&mut self, prepared: &Prepared) -> Result<(), String> {
        self.reserve(inputs_of(prepared), "its inputs")
    }

    /// Inputs were read.
    pub(super) fn release_inputs(&mut self, prepared: &Prepared) {
        self.memory = self.memory.saturating_sub(inputs_of(prepared));
    }

    fn reserve(&mut self, bytes: usize, what: &str) -> Result<(), String> {
        let memory = self.memory.saturating_add(bytes);
        if memory > LIMIT {
            return Err(format!(
                "{what} would take the values of this run over {} MiB of memory; pass files (`path:`) instead of many \
                 values",
                LIMIT >> 20
            ));
        }
        self.memory = memory;
        Ok(())
    }
}

/// Returns about how many bytes the inputs of an attempt take in memory.
fn inputs_of(prepared: &Prepared) -> usize {
    let sealed = prepared.sealed.as_ref().map_or(0, |sealed| sealed.memory());
    sealed
        + match &*prepared.work {
            Work::Native(_, inputs) => memory_of(inputs),
            Work::Command(command) => {
                let arguments = match &command.program {
                    Program::Arguments(arguments) => arguments.iter().map(argument).sum(),
                    Program::Script { .. } => 0,
                };
                memory_of(&command.inputs) + command.env.values().map(String::len).sum::<usize>() + arguments
            }
        }
}

fn argument(argument: &Argument) -> usize {
    match argument {
        Argument::Text(text) => text.len(),
        Argument::Media(media) => size_of_val(media),
    }
}

fn memory_of(values: &Values) -> usize {
    values.values().map(Value::memory).sum()
}
