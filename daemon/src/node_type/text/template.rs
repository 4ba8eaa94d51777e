//! `text.template`

use fanlight_shared::expression::render;
use fanlight_shared::node_type::Code;
use fanlight_shared::types::Type;
use fanlight_shared::value::Values;

use crate::node_type::build::Build;
use crate::node_type::typed_inputs::{TypedInputs, one};
use crate::node_type::{NodeType, Runner};

/// The longest text of a template.
const MAX_TEXT_BYTES: usize = 4 << 20;

pub(super) fn node_type() -> NodeType {
    Build::new("text.template", "Fills a Jinja template with the other inputs.")
        .input("template", Type::Text, "The template; `{{ place }}` is replaced by the input `place`.")
        .code(Code::Template)
        .more_inputs()
        .output("text", Type::Text, "The filled template.")
        .run(Runner::inline(run))
}

fn run(mut inputs: Values) -> Result<Values, String> {
    let template = inputs.text("template")?.to_owned();
    inputs.shift_remove("template");
    Ok(one("text", render(&template, &inputs, MAX_TEXT_BYTES)?))
}

#[cfg(test)]
mod tests {
    use fanlight_shared::value::Value;

    use super::*;

    fn fill(template: &str, values: &[(&str, Value)]) -> Result<String, String> {
        let mut inputs = one("template", template);
        inputs.extend(values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        run(inputs).map(|made| made["text"].as_text().unwrap().to_owned())
    }

    #[test]
    fn a_greeting_is_filled_in() {
        assert_eq!(
            fill("Greetings from {{ place }}", &[("place", "Hove".into())]).unwrap(),
            "Greetings from Hove"
        );
        let items = Value::from(vec![Value::Int(1), Value::Int(2)]);
        assert_eq!(fill("{% for n in list %}<{{ n }}>{% endfor %}", &[("list", items)]).unwrap(), "<1><2>");
    }

    #[test]
    fn an_unknown_name_and_an_endless_template_are_errors() {
        assert!(fill("line\n{{ palce }}", &[("place", "Hove".into())]).unwrap_err().contains("line 2"));
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}.{% endfor %}{% endfor %}";
        assert!(fill(endless, &[]).is_err());
        let long = [("long", "x".repeat(60_000).into())];
        let error = fill("{% for a in range(9999) %}{{ long }}{% endfor %}", &long).unwrap_err();
        assert_eq!(error, "the template makes more than 4194304 bytes of text");
    }

    #[test]
    fn values_are_never_read_as_templates() {
        assert_eq!(fill("{{ it }}", &[("it", "{{ 1 + 1 }}".into())]).unwrap(), "{{ 1 + 1 }}");
    }
}
