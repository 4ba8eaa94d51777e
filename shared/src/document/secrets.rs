//! Checks where secrets are used: only where nothing that is made of them is stored.

use super::check::{CheckContext, Ports, Reader};
use super::reading::Reading;
use crate::expression::Root;
use crate::problem::{Problem, Span};
use crate::value::cut;
use crate::workflow::{Action, Changes, CommandOutput, Dir, OutputSource, Template};

impl CheckContext<'_> {
    /// Checks the secrets that a node reads. `lock` reads only params anyway.
    pub(super) fn secrets(&self, reading: &mut Reading<'_>, reader: Reader<'_>) {
        let Some((number, _, node)) = reader.node else { return };
        for (input, template) in &node.with {
            let Some(span) = secret_in(template) else { continue };
            let Some(Ports::Native(spec)) = self.ports.get(number) else { continue };
            if spec.inputs.get(input).is_some_and(|input| input.secret) {
                continue;
            }
            let message = format!(
                "input `{}` of `{}` can't be built from a secret: what the node makes of it is stored",
                cut(input, 60),
                spec.name
            );
            let possible = spec.inputs.iter().filter(|(_, input)| input.secret);
            let possible: Vec<String> = possible.map(|(name, _)| format!("`{name}`")).collect();
            refuse(
                reading,
                span,
                message,
                &match possible.as_slice() {
                    [] => {
                        "pass it to a command by `env:` or `with:`, or send it by `http.request`".to_owned()
                    }
                    names => format!("secrets can be in {}", names.join(", ")),
                },
            );
        }
        if let Action::Cmd(arguments) = &node.action {
            for span in arguments.iter().filter_map(secret_in) {
                refuse(
                    reading,
                    span,
                    "a secret can't be an argument of `cmd`: every user of this machine can list the arguments of processes"
                        .to_owned(),
                    "pass it by `env:` or `with:`, and let the program read the variable",
                );
            }
        }
        for span in node.outputs.values().filter_map(|output| secret_in(output.name.as_ref()?)) {
            let message =
                "the name of a file can't be built from a secret: it is stored and shown".to_owned();
            refuse(reading, span, message, "take it out of the name");
        }
        if let Some(span) = node.dir.as_ref().and_then(Dir::revision).and_then(secret_in) {
            let message = "the revision of `worktree` can't be built from a secret: it is an argument of git"
                .to_owned();
            refuse(reading, span, message, "take it out of the revision");
        }
        let branch = |output: &&CommandOutput| output.source == OutputSource::Changes(Changes::Branch);
        if let Some(output) = node.outputs.values().find(branch)
            && !node.secrets().is_empty()
        {
            let message = "`collect: branch` does not belong to a command that reads a secret: what it commits is not searched for secrets".to_owned();
            refuse(reading, output.span, message, "write `collect: patch`, which is");
        }
        let resources = node.resources.iter().flat_map(|resources| &resources.0);
        for span in resources.filter_map(|(_, template)| secret_in(template)) {
            let message = "`resources` can't read a secret: what an attempt needs is shown".to_owned();
            refuse(reading, span, message, "write it out, or read a param");
        }
        let condition = node.condition.iter().filter(|it| it.secrets().next().is_some());
        let condition =
            condition.map(|it| ("if", it.references().first().map(|it| it.span).unwrap_or_default()));
        let each = node.each.iter().flat_map(|each| each.templates().filter_map(secret_in));
        for (key, span) in condition.chain(each.map(|span| ("each", span))) {
            let message = format!("`{key}` can't read a secret: what follows from it is stored");
            refuse(reading, span, message, "pass the secret to a command by `env:`, and decide there");
        }
    }

    /// Checks that an output of the workflow is not built from a secret.
    pub(super) fn secrets_in_output(&self, reading: &mut Reading<'_>, output: &Template) {
        if let Some(span) = secret_in(output) {
            let message = "an output can't be built from a secret: outputs are stored and shown".to_owned();
            refuse(reading, span, message, "take it out of the output");
        }
    }
}

fn refuse(reading: &mut Reading<'_>, span: Span, message: String, hint: &str) {
    reading.report(Problem::error("secret_not_here", span, message).hint(hint));
}

/// Returns where a template names a secret for the first time.
fn secret_in(template: &Template) -> Option<Span> {
    let references = template.expressions().into_iter().flat_map(|expression| expression.references());
    references.into_iter().find(|it| it.root == Root::Secrets).map(|it| it.span)
}
