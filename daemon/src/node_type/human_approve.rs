//! `human.approve`

use fanlight_shared::question::Question;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::build::Build;
use super::typed_inputs::TypedInputs;
use super::{Made, NodeCall, NodeType, Runner, human};

pub(super) fn node_type() -> NodeType {
    let build = Build::new("human.approve", "Waits until a person says yes, and passes a value on.")
        .input("question", Type::Text, "The question to ask.")
        .default("Go on?")
        .input("value", Type::Any, "The value to approve: it is shown with the question, and passed on.")
        .optional()
        .input("on_reject", Type::Choice, "What to do on a no: fail, or continue without `value`.")
        .default("fail")
        .choices(&["fail", "continue"])
        .input("default", Type::Bool, "The suggested answer, which is used when `within` has passed.")
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
