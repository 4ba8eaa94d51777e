//! `human.ask`

use fanlight_shared::question::Question;
use fanlight_shared::types::Type;

use super::build::Build;
use super::typed_inputs::{TypedInputs, one};
use super::{Made, NodeCall, NodeType, Runner, human};

pub(super) fn node_type() -> NodeType {
    let build = Build::new("human.ask", "Asks a person for text, a number or another value.")
        .input("question", Type::Text, "The question to ask.")
        .input("type", Type::Choice, "The type of the answer.")
        .default("text")
        .choices(&["text", "int", "float", "bool", "json"])
        .input("choices", Type::Text.list(), "The possible answers; by default any value of `type`.")
        .optional()
        .input("show", Type::Any, "A value to show with the question, or a list of values.")
        .optional()
        .input("default", Type::Any, "The suggested answer, which is used when `within` has passed.")
        .optional();
    human::within(build).output("answer", Type::Any, "The answer.").run(Runner::daemon(run))
}

async fn run(call: NodeCall) -> Made {
    let services = call.services.clone();
    let work = move || {
        let choices = match call.inputs.maybe("choices") {
            Some(_) => Some(human::items(&call, "choices")?),
            None => None,
        };
        let ty: Type = call.inputs.text("type")?.parse()?;
        let answer = human::answer(&call, || {
            let text = human::text(&call.inputs)?;
            let question = match (&choices, ty) {
                (Some(choices), _) => Question::choice(&text, choices.clone(), false),
                (None, Type::Bool) => Question::yes_no(&text),
                (None, ty) => Question::value(&text, ty),
            };
            Ok(Question { show: human::shown(&call.inputs, "show"), ..question })
        })?;
        let answer = match choices {
            Some(choices) => human::picked(&choices, &answer)?.1,
            None => answer,
        };
        Ok((one("answer", answer), Vec::new()))
    };
    services.blocking(work).await
}
