//! `human.approve`

use fanlight_shared::question::Question;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::build::Build;
use super::typed_inputs::TypedInputs;
use super::{Made, NodeCall, NodeType, Runner, human};

pub(super) fn node_type() -> NodeType {
    let build = Build::new("human.approve", "Waits until a person says yes, and hands a value on.")
        .input("question", Type::Text, "What is asked.")
        .default("Go on?")
        .input("value", Type::Any, "What is approved: it is shown beside the question, and handed on.")
        .optional()
        .input("on_reject", Type::Choice, "What a no means: the node fails, or it goes on without `value`.")
        .default("fail")
        .choices(&["fail", "continue"])
        .input("default", Type::Bool, "The answer that is proposed; it is taken when `within` is over.")
        .optional();
    human::within(build)
        .output("value", Type::Any, "The input `value`; absent after a no.")
        .output("approved", Type::Bool, "Whether the answer was yes.")
        .run(Runner::daemon(run))
}

async fn run(call: NodeCall) -> Made {
    let answer = human::answer(&call, || {
        let question = Question::yes_no(&human::text(&call.inputs)?);
        Ok(Question { show: human::shown(&call.inputs, "value"), ..question })
    })?;
    let approved = answer == Value::Bool(true);
    if !approved && call.inputs.text("on_reject")? == "fail" {
        return Err("the answer was no".into());
    }
    let mut values = Values::from([("approved".to_owned(), Value::Bool(approved))]);
    if let Some(value) = call.inputs.maybe("value").filter(|_| approved) {
        values.insert("value".to_owned(), value.clone());
    }
    Ok((values, Vec::new()))
}
