//! A small catalogue of node types for the tests of documents.

use fanlight_shared::node_type::{
    Catalogue, Code, DeclaredOutputs, Effects, InputSpec, NodeTypeSpec, OutputSpec, Place,
};
use fanlight_shared::types::Type;
use fanlight_shared::value::Value;

struct Spec(NodeTypeSpec);

fn spec(name: &str) -> Spec {
    Spec(NodeTypeSpec {
        name: name.into(),
        summary: format!("Does {name}"),
        version: 1,
        effects: Effects::None,
        place: Place::Inline,
        source: false,
        remember: false,
        max_bytes: 1 << 20,
        inputs: Default::default(),
        more_inputs: false,
        outputs: Default::default(),
        declared_outputs: None,
    })
}

fn ty(text: &str) -> Type {
    text.parse().unwrap()
}

impl Spec {
    fn input(mut self, name: &str, of: &str, change: impl FnOnce(&mut InputSpec)) -> Self {
        let mut input = InputSpec {
            ty: ty(of),
            summary: format!("The {name}"),
            default: None,
            optional: false,
            min: None,
            max: None,
            choices: Vec::new(),
            code: None,
            secret: false,
        };
        change(&mut input);
        self.0.inputs.insert(name.into(), input);
        self
    }
    fn output(mut self, name: &str, of: &str) -> Self {
        self.0.outputs.insert(name.into(), OutputSpec { ty: ty(of), summary: format!("The {name}") });
        self
    }
    fn declares(mut self, outputs: DeclaredOutputs) -> Self {
        self.0.declared_outputs = Some(outputs);
        self
    }
    fn open(mut self) -> Self {
        self.0.more_inputs = true;
        self
    }
}

fn pixels(input: &mut InputSpec) {
    (input.min, input.max, input.default) = (Some(1.0), Some(8192.0), Some(Value::Int(512)));
}

/// Returns a few node types for the tests.
pub(crate) fn catalogue() -> Catalogue {
    let required = |_: &mut InputSpec| {};
    [
        spec("image.generate")
            .input("style", "choice", |it| {
                it.choices = ["plasma", "gradient", "noise"].map(String::from).to_vec();
                it.default = Some("plasma".into());
            })
            .input("width", "int", pixels)
            .input("height", "int", pixels)
            .input("seed", "int", |it| it.default = Some(Value::Int(0)))
            .output("image", "image"),
        spec("image.blend")
            .input("base", "image", required)
            .input("top", "image", required)
            .input("amount", "float", |it| (it.min, it.max, it.optional) = (Some(0.0), Some(1.0), true))
            .output("image", "image"),
        spec("image.text")
            .input("image", "image", required)
            .input("text", "text", required)
            .input("position", "choice", |it| {
                it.choices = ["top", "middle", "bottom"].map(String::from).to_vec();
                it.default = Some("middle".into());
            })
            .input("outline", "bool", |it| it.default = Some(Value::Bool(false)))
            .output("image", "image"),
        spec("image.tile").input("images", "list<image>", required).output("image", "image"),
        spec("text.template")
            .open()
            .input("template", "text", |it| it.code = Some(Code::Template))
            .output("text", "text"),
        spec("table.filter")
            .open()
            .input("rows", "list<json>", required)
            .input("where", "text", |it| it.code = Some(Code::Row))
            .output("rows", "list<json>"),
        spec("http.request")
            .input("url", "text", |it| it.secret = true)
            .input("headers", "json", |it| (it.secret, it.optional) = (true, true))
            .input("take", "text", |it| it.optional = true)
            .output("text", "text"),
        spec("code.js")
            .input("code", "text", |it| it.code = Some(Code::JavaScript))
            .open()
            .output("value", "any")
            .declares(DeclaredOutputs::Values),
        spec("util.fail").input("message", "text", |it| it.optional = true),
    ]
    .into_iter()
    .map(|spec| spec.0)
    .collect()
}
