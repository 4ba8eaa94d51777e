//! `human.pick`

use fanlight_shared::question::Question;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::build::Build;
use super::typed_inputs::TypedInputs;
use super::{Made, NodeCall, NodeType, Runner, human};

pub(super) fn node_type() -> NodeType {
    let build = Build::new("human.pick", "Lets a person pick from a list of pictures, texts or other values.")
        .input("items", Type::Any.list(), "What is picked from: at most 100.")
        .input("question", Type::Text, "What is asked.")
        .default("Which one?")
        .input("several", Type::Bool, "Whether any number of them may be picked, none included.")
        .default(false)
        .input(
            "default",
            Type::Any,
            "What is proposed: its place from 0, or its text, or a list of these; it is taken when `within` is over.",
        )
        .optional();
    human::within(build)
        .output(
            "item",
            Type::Any,
            "What was picked; of several the first in the list, absent if there is none.",
        )
        .output("index", Type::Int, "Its place in the list, from 0; absent if there is none.")
        .output("items", Type::Any.list(), "All that was picked, in the order of the list.")
        .output("indexes", Type::Int.list(), "Their places in the list, from 0.")
        .run(Runner::daemon(run))
}

async fn run(call: NodeCall) -> Made {
    let services = call.services.clone();
    let work = move || {
        let items = human::items(&call, "items")?;
        let several = call.inputs.flag("several")?;
        let answer = human::answer(&call, || {
            Ok(Question::choice(&human::text(&call.inputs)?, items.clone(), several))
        })?;
        let places = match answer {
            Value::List(places) => places,
            place => vec![place],
        };
        let mut picked = Vec::with_capacity(places.len());
        for place in &places {
            picked.push(human::picked(&items, place)?);
        }
        let mut values = Values::new();
        if let Some((index, item)) = picked.first() {
            values.insert("item".to_owned(), item.clone());
            values.insert("index".to_owned(), Value::Int(*index));
        }
        let (indexes, items): (Vec<i64>, Vec<Value>) = picked.into_iter().unzip();
        values.insert("items".to_owned(), Value::List(items));
        values.insert("indexes".to_owned(), Value::List(indexes.into_iter().map(Value::Int).collect()));
        Ok((values, Vec::new()))
    };
    services.blocking(work).await
}
