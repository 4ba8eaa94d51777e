//! `fanlight help`: the help of a command, or a summary of the workflow file.

use fanlight_shared::problem::near;

use crate::failure::Failure;
use crate::output::style::Paint;
use crate::output::{Out, markdown};

/// Topics that are no commands, and their texts.
const TOPICS: [(&str, &str); 1] = [("workflow", include_str!("help/workflow.md"))];

/// The arguments of `help`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A command, such as `run` or `assets get`, or `workflow` for the short form of the workflow file.
    #[arg(value_name = "COMMAND|workflow")]
    topic: Vec<String>,
}

/// Runs `help`; `cli` is the command line of this program.
pub(crate) fn run(args: &Args, mut cli: clap::Command) -> Result<(), Failure> {
    let mut out = Out::new();
    if let [topic] = args.topic.as_slice()
        && let Some((_, text)) = TOPICS.iter().find(|(name, _)| name == topic)
    {
        for line in markdown::lines(text, out.columns(), Paint::stdout()) {
            out.line(&line)?;
        }
        return out.flush();
    }
    cli.build();
    let mut command = &mut cli;
    for name in &args.topic {
        let names: Vec<String> = command
            .get_subcommands()
            .filter(|it| !it.is_hide_set())
            .map(|it| it.get_name().to_owned())
            .collect();
        command = match command.find_subcommand_mut(name) {
            Some(found) => found,
            None => {
                let known = names.iter().map(String::as_str).chain(TOPICS.map(|(name, _)| name));
                let hint = match near(name, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "`fanlight help` lists the commands, `fanlight docs` the pages of the guide"
                        .to_owned(),
                };
                return Err(Failure::usage(format!("there is no help about `{name}`")).hint(hint));
            }
        };
    }
    let help = command.render_long_help();
    let text = if Paint::stdout().is_on() { help.ansi().to_string() } else { help.to_string() };
    out.bytes(text.as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workflow_in_the_short_form_passes_its_check() {
        let (_, text) = TOPICS[0];
        let (_, rest) = text.split_once("```yaml\n").unwrap();
        let (workflow, _) = rest.split_once("```").unwrap();
        let checked = fanlight_shared::document::read(workflow, &crate::embedded::catalogue());
        assert!(checked.is_ok_and(|checked| checked.warnings.is_empty()), "{workflow}");
    }
}
