//! `human.pick`

use fanlight_shared::question::Question;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::build::Build;
use super::typed_inputs::TypedInputs;
use super::{Made, NodeCall, NodeType, Runner, human};

pub(super) fn node_type() -> NodeType {
    let build = Build::new("human.pick", "Lets a person pick from a list of pictures, texts or other values.")
        .input("items", Type::Any.list(), "The items to pick from, at most 100.")
        .input("question", Type::Text, "The question to ask.")
        .default("Which one?")
        .input("several", Type::Bool, "Whether any number of items may be picked, including none.")
        .default(false)
        .input(
            "default",
            Type::Any,
            "The suggested item: its position from 0, its text, or a list of these. It is used when `within` has passed.",
        )
        .optional();
    human::within(build)
        .output("item", Type::Any, "The picked item; the first one of several, absent if there is none.")
        .output("index", Type::Int, "Its position in the list, from 0; absent if there is none.")
        .output("items", Type::Any.list(), "All picked items, in the order of the list.")
        .output("indexes", Type::Int.list(), "Their positions in the list, from 0.")
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
